import { writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { cacheRoot, findProgram, isWritable } from '../paths.ts'
import { CommandError, messageOf } from '../problems.ts'
import type { Say } from '../progress.ts'
import { run } from '../run.ts'
import { ensureArtefact } from './artefact.ts'
import { NEWER_SUITE, unpackDebian } from './debian.ts'

const help =
  'Maven is needed once to fetch Kafka: install maven (macOS: brew install maven), or Docker, and try again.'

export interface Java {
  command: string
  env: NodeJS.ProcessEnv
  home: string | undefined
  /** Full version, which is what a class archive depends on. */
  version: string
}

interface Artifact {
  readonly group: string
  readonly name: string
  readonly version: string
  /** Groups and names that are left out of its dependency tree. */
  readonly excluded?: readonly (readonly [group: string, name: string])[]
}

interface FetchJarsOptions {
  /** Name of the server, for messages. */
  readonly title: string
  readonly artifacts: readonly Artifact[]
  readonly folder: string
  readonly java: Java
  readonly say: Say
}

/** The machine's own Maven, else a private one unpacked from Debian's packages. */
async function requireMaven(cacheFolder: string): Promise<string> {
  const installed = findProgram('mvn')
  if (installed) return installed
  const folder = await ensureArtefact(cacheFolder, {
    name: `maven-${NEWER_SUITE}`,
    title: 'Maven: packages',
    fill: (part, say) =>
      unpackDebian(
        part,
        { packages: ['maven'], suite: NEWER_SUITE, isWanted: isMavenPart, otherwise: help },
        say,
      ),
  })
  return join(folder, 'usr/share/maven/bin/mvn')
}

/** Selects only Maven's jars: Java is fetched separately, and the dependencies of Debian's Java are not needed. */
function isMavenPart(name: string): boolean {
  return /^(maven|lib.+-java)$/.test(name)
}

/**
 * Copies artifacts and everything they depend on into a folder. Maven resolves the tree and verifies the checksums of
 * Maven Central.
 */
export async function fetchJars({ title, artifacts, folder, java, say }: FetchJarsOptions): Promise<void> {
  const maven = await requireMaven(cacheRoot())
  const file = join(folder, 'pom.xml')
  writeFileSync(file, pom(artifacts))
  const goal = [
    'dependency:copy-dependencies',
    `-DoutputDirectory=${folder}`,
    '-Dmdep.overWriteReleases=true',
  ]
  let count = 0
  try {
    await run(maven, ['-B', '-f', file, ...goal, ...repository()], {
      env: java.env,
      onLine: (line) => {
        const jar = /Downloaded from \S+: \S*\/(\S+\.jar) \((.*?)\)/.exec(line)
        if (jar) say(`${jar[1]} (${jar[2]})`)
        if (/Copying \S+\.jar/.test(line)) say(`copying ${++count} jars`)
      },
    })
  } catch (error) {
    throw new CommandError(`${title} could not be fetched from Maven Central: ${messageOf(error)}`)
  }
}

function pom(artifacts: readonly Artifact[]): string {
  const coordinates = (group: string, name: string) =>
    `<groupId>${group}</groupId><artifactId>${name}</artifactId>`
  const dependencies = artifacts.map(({ group, name, version, excluded = [] }) => {
    const exclusions = excluded.map((pair) => `<exclusion>${coordinates(...pair)}</exclusion>`).join('')
    return `<dependency>${coordinates(group, name)}<version>${version}</version><exclusions>${exclusions}</exclusions></dependency>`
  })
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
${coordinates('bigtech.devstack', 'dist')}<version>1</version><packaging>pom</packaging>
<dependencies>
${dependencies.join('\n')}
</dependencies></project>
`
}

/** An account without a home of its own keeps Maven's downloads in the cache. */
function repository(): string[] {
  return isWritable(homedir()) ? [] : [`-Dmaven.repo.local=${join(cacheRoot(), 'maven')}`]
}
