import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { cacheRoot, findProgram, isWritable } from '../paths.ts'
import type { Say } from '../progress.ts'
import { run } from '../run.ts'
import { ensureArtefact } from './artefact.ts'
import { NEWER_SUITE, triplet, unpackDebian } from './debian.ts'

export interface GoProgram {
  /** Name for messages. */
  title: string
  module: string
  version: string
  /** Approximate number of modules and packages, for the progress display only. */
  modules: number
  packages: number
}

/** Builds a Go program into a directory; Go verifies the checksums of its downloads. */
export async function buildGo(folder: string, program: GoProgram, say: Say): Promise<void> {
  const go = await requireGo(program.title)
  let modules = 0
  let compiled = 0
  await run(go, ['install', '-v', `${program.module}@${program.version}`], {
    cwd: folder,
    env: { ...process.env, GOBIN: folder, ...goFolders() },
    onLine: (line) => {
      if (line.startsWith('go: downloading')) {
        say(
          `downloading module ${++modules} of about ${program.modules}: ${line.slice('go: downloading '.length)}`,
        )
      } else say(`compiling package ${++compiled} of about ${program.packages}: ${line}`)
    },
  })
}

/** Required by FerretDB; an older Go may not fetch a newer version by itself. */
const OLDEST_GO = [1, 25] as const

/** Parses "go version go1.26.8 linux/amd64"; rejects a development build, which has no version. */
export function isNewEnough(version: string): boolean {
  const [, major, minor] = /\bgo(\d+)\.(\d+)/.exec(version) ?? []
  if (Number(major) !== OLDEST_GO[0]) return Number(major) > OLDEST_GO[0]
  return Number(minor) >= OLDEST_GO[1]
}

/** Returns the machine's Go, or a private one unpacked from Debian's packages. */
async function requireGo(neededBy: string): Promise<string> {
  for (const go of [findProgram('go'), '/usr/local/go/bin/go']) {
    if (!go || !existsSync(go)) continue
    const version = await run(go, ['version']).catch(() => '')
    if (isNewEnough(version)) return go
  }
  const folder = await ensureArtefact(cacheRoot(), {
    name: `go-${NEWER_SUITE}-${triplet()}`,
    title: 'Go: packages',
    fill: (part, say) =>
      unpackDebian(
        part,
        {
          packages: ['golang-go'],
          suite: NEWER_SUITE,
          isWanted: (name) => name.startsWith('golang-'),
          otherwise: `Go ${OLDEST_GO.join('.')} or newer is needed once to build ${neededBy}: install it (https://go.dev/dl), or Docker, and try again.`,
        },
        say,
      ),
  })
  return join(folder, 'usr/lib/go/bin/go')
}

/** An account without a home directory builds inside the cache. */
function goFolders(): NodeJS.ProcessEnv {
  if (isWritable(homedir())) return {}
  const folder = join(cacheRoot(), 'go')
  return { GOPATH: folder, GOCACHE: join(folder, 'build') }
}
