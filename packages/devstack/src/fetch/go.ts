import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { cacheRoot, findProgram, isWritable } from '../paths.ts'
import { UserError } from '../problems.ts'
import type { Say } from '../progress.ts'
import { run } from '../run.ts'

export interface GoProgram {
  /** What it is called in messages. */
  title: string
  module: string
  version: string
  /** About how many modules and packages there are; only for the progress that is shown. */
  modules: number
  packages: number
}

/** Builds a Go program into a folder; Go verifies the checksums of what it downloads. */
export async function buildGo(folder: string, program: GoProgram, say: Say): Promise<void> {
  const go = findProgram('go') ?? ['/usr/local/go/bin/go'].find((file) => existsSync(file))
  if (!go) {
    throw new UserError(
      `Go is needed once to build ${program.title}: install it (https://go.dev/dl, or golang-go), or Docker.`,
    )
  }
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

/** An account without a home of its own builds inside of the cache. */
function goFolders(): NodeJS.ProcessEnv {
  if (isWritable(homedir())) return {}
  const folder = join(cacheRoot(), 'go')
  return { GOPATH: folder, GOCACHE: join(folder, 'build') }
}
