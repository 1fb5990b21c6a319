import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureArtefact } from '../fetch/artefact.ts'
import { fetchJars } from '../fetch/maven.ts'
import { requireJava } from './kafka-dist.ts'

/** The newest line that runs on Java 17. */
const version = '2.19.1'
const group = 'org.opensearch'

/** Maven Central has the server's jars, and of a module its jars alone: these two files describe it to the server. */
const moduleDescriptor = `name=transport-netty4
description=Netty 4 based transport implementation
classname=org.opensearch.transport.Netty4Plugin
version=${version}
opensearch.version=${version}
java.version=11
`
const modulePolicy = `grant {
  permission java.net.SocketPermission "*", "accept,connect,listen,resolve";
  permission java.lang.RuntimePermission "accessDeclaredMembers";
  permission java.lang.RuntimePermission "getClassLoader";
  permission java.lang.RuntimePermission "setContextClassLoader";
  permission java.lang.reflect.ReflectPermission "suppressAccessChecks";
  permission java.util.PropertyPermission "*", "read,write";
};
`

const logging = `status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{HH:mm:ss.SSS} %-5p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
`

export interface OpenSearchProgram {
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

/**
 * Fetches OpenSearch (52 jars, 44 MB) if it is not cached, and prepares a separate node in a folder. The node
 * refuses to run as root.
 */
export async function openSearchProgram(
  cacheFolder: string,
  { folder, port, transportPort }: { folder: string; port: number; transportPort: number },
): Promise<OpenSearchProgram> {
  const java = await requireJava(cacheFolder)
  const jars = await ensureArtefact(cacheFolder, {
    name: `opensearch-${version}`,
    title: `OpenSearch ${version}: 52 jars, 44 MB`,
    fill: async (part, say) => {
      const server = [
        { group, name: 'opensearch', version },
        { group, name: 'opensearch-plugin-classloader', version },
        { group: 'org.apache.logging.log4j', name: 'log4j-core', version: '2.21.0' },
      ]
      const module = [{ group: `${group}.plugin`, name: 'transport-netty4-client', version }]
      for (const [name, artifacts] of Object.entries({ lib: server, 'transport-netty4': module })) {
        const target = join(part, name)
        mkdirSync(target, { recursive: true })
        await fetchJars({ title: 'OpenSearch', artifacts, folder: target, java, say })
      }
    },
  })
  const config = join(folder, 'config')
  const module = join(folder, 'modules/transport-netty4')
  for (const each of [config, module, join(folder, 'plugins'), join(folder, 'tmp')])
    mkdirSync(each, { recursive: true })
  for (const name of readdirSync(join(jars, 'transport-netty4')).filter((each) => each.endsWith('.jar')))
    cpSync(join(jars, 'transport-netty4', name), join(module, name))
  writeFileSync(join(module, 'plugin-descriptor.properties'), moduleDescriptor)
  writeFileSync(join(module, 'plugin-security.policy'), modulePolicy)
  writeFileSync(join(config, 'log4j2.properties'), logging)
  writeFileSync(
    join(config, 'opensearch.yml'),
    `discovery.type: single-node
network.host: 127.0.0.1
http.port: ${port}
transport.port: ${transportPort}
cluster.routing.allocation.disk.threshold_enabled: false
`,
  )
  const properties = {
    'java.security.manager': 'allow',
    'java.io.tmpdir': join(folder, 'tmp'),
    'log4j2.disable.jmx': 'true',
    'opensearch.path.home': folder,
    'opensearch.path.conf': config,
    'opensearch.distribution.type': 'tar',
    'opensearch.bundled_jdk': 'false',
  }
  const args = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  const classPath = join(jars, 'lib', '*')
  return {
    command: java.command,
    env: java.env,
    args: [
      ...args,
      ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
      '-cp',
      classPath,
      'org.opensearch.bootstrap.OpenSearch',
    ],
  }
}
