import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { ensureArtefact } from '../fetch/artefact.ts'
import { libraryEnv, triplet, unpackDebian } from '../fetch/debian.ts'
import { requireMaven } from '../fetch/maven.ts'
import { cacheRoot, findProgram, isWritable } from '../paths.ts'
import { CommandError, messageOf, UserError } from '../problems.ts'
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

function pom(): string {
  const exclusions = excluded
    .map(
      ([group, name]) => `<exclusion><groupId>${group}</groupId><artifactId>${name}</artifactId></exclusion>`,
    )
    .join('')
  const dependency = (group: string, name: string, version: string, extra = '') =>
    `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version>${extra}</dependency>`
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>bigtech.devstack</groupId><artifactId>kafka-dist</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
${dependency('org.apache.kafka', 'kafka_2.13', kafkaVersion, `<exclusions>${exclusions}</exclusions>`)}
${dependency('org.apache.logging.log4j', 'log4j-slf4j-impl', '2.25.5')}
</dependencies></project>
`
}

export interface Java {
  command: string
  env: NodeJS.ProcessEnv
  home: string | undefined
  /** Full version, which is what a class archive depends on. */
  version: string
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

/** The machine's own Java, else a private one unpacked from Debian's package. */
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

/** Maven resolves the tree and verifies the checksums of Maven Central. */
export async function fetchKafkaJars(folder: string, java: Java, say: Say): Promise<void> {
  const maven = await requireMaven(cacheRoot())
  const file = join(folder, 'pom.xml')
  writeFileSync(file, pom())
  let count = 0
  try {
    await run(
      maven,
      [
        '-B',
        '-f',
        file,
        'dependency:copy-dependencies',
        `-DoutputDirectory=${folder}`,
        '-Dmdep.overWriteReleases=true',
        ...repository(),
      ],
      {
        env: java.env,
        onLine: (line) => {
          const jar = /Downloaded from \S+: \S*\/(\S+\.jar) \((.*?)\)/.exec(line)
          if (jar) say(`${jar[1]} (${jar[2]})`)
          if (/Copying \S+\.jar/.test(line)) say(`copying ${++count} jars`)
        },
      },
    )
  } catch (error) {
    throw new CommandError(`Kafka could not be fetched from Maven Central: ${messageOf(error)}`)
  }
}

/** An account without a home of its own keeps Maven's downloads in the cache. */
function repository(): string[] {
  return isWritable(homedir()) ? [] : [`-Dmaven.repo.local=${join(cacheRoot(), 'maven')}`]
}
