import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureArtefact } from '../fetch/artefact.ts'
import { libraryEnv, triplet, unpackDebian } from '../fetch/debian.ts'
import { fetchJars, type Java } from '../fetch/maven.ts'
import { findProgram } from '../paths.ts'
import { UserError } from '../problems.ts'
import type { Say } from '../progress.ts'
import { run } from '../run.ts'

export const kafkaVersion = '4.4.0'

/** Parts of Kafka's dependency tree that a broker does not load. */
const excluded = [
  ['org.apache.kafka', 'kafka-tools-api'],
  ['org.scala-lang', 'scala-reflect'],
  ['commons-beanutils', 'commons-beanutils'],
  ['commons-digester', 'commons-digester'],
  ['commons-collections', 'commons-collections'],
  ['commons-logging', 'commons-logging'],
  ['org.bitbucket.b_c', 'jose4j'],
  ['com.fasterxml.jackson.datatype', 'jackson-datatype-jdk8'],
  ['com.fasterxml.jackson.dataformat', '*'],
] as const

/** Fetches Kafka's jars into the folder. */
export function fetchKafkaJars(folder: string, java: Java, say: Say): Promise<void> {
  const artifacts = [
    { group: 'org.apache.kafka', name: 'kafka_2.13', version: kafkaVersion, excluded },
    { group: 'org.apache.logging.log4j', name: 'log4j-slf4j-impl', version: '2.25.5' },
  ]
  return fetchJars({ title: 'Kafka', artifacts, folder, java, say })
}

const javaHelp =
  'Java 17 or newer is needed for Kafka: install default-jre-headless (macOS: brew install openjdk), or Docker.'

async function describeJava(
  command: string,
  home: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<Java | undefined> {
  try {
    const version = /^(?:openjdk|java) (\S+)/m.exec(await run(command, ['--version'], { env }))?.[1]
    return version && Number.parseInt(version, 10) >= 17 ? { command, home, env, version } : undefined
  } catch {
    return undefined
  }
}

/** Returns the machine's Java, or a private one unpacked from Debian's package. */
export async function requireJava(cacheFolder: string): Promise<Java> {
  for (const command of [
    process.env.JAVA_HOME && join(process.env.JAVA_HOME, 'bin/java'),
    findProgram('java'),
  ]) {
    if (!command || !existsSync(command)) continue
    const java = await describeJava(command, undefined, process.env)
    if (java) return java
  }
  const folder = await ensureArtefact(cacheFolder, {
    name: `java-${triplet()}`,
    title: 'Java: packages',
    fill: (part, say) => unpackDebian(part, { packages: ['default-jre-headless'], otherwise: javaHelp }, say),
    verify: async (part) => void (await privateJava(part)),
  })
  return privateJava(folder)
}

async function privateJava(folder: string): Promise<Java> {
  const jvms = join(folder, 'usr/lib/jvm')
  const name = existsSync(jvms)
    ? readdirSync(jvms).find((entry) => /^java-\d+-openjdk/.test(entry))
    : undefined
  const home = name ? join(jvms, name) : undefined
  const env = home ? { ...libraryEnv(folder), JAVA_HOME: home } : process.env
  const java = home ? await describeJava(join(home, 'bin/java'), home, env) : undefined
  if (!java) throw new UserError(javaHelp)
  return java
}
