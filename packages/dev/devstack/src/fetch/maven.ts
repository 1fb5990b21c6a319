import { join } from 'node:path'
import { findProgram } from '../paths.ts'
import { ensureArtefact } from './artefact.ts'
import { NEWER_SUITE, unpackDebian } from './debian.ts'

const help =
  'Maven is needed once to fetch Kafka: install maven (macOS: brew install maven), or Docker, and try again.'

/** The machine's own Maven, else a private one unpacked from Debian's packages. */
export async function requireMaven(cacheFolder: string): Promise<string> {
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

/** Its jars alone: Java is asked for by itself, and what comes with Debian's Java is not needed. */
function isMavenPart(name: string): boolean {
  return /^(maven|lib.+-java)$/.test(name)
}
