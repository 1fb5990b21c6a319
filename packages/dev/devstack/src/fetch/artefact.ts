import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withLock } from '../lock.ts'
import { type Say, step } from '../progress.ts'
import { run } from '../run.ts'

export interface Artefact {
  /** Directory name in the cache: name, version and platform, so that a new version gets a new directory. */
  name: string
  title: string
  /** Fills the directory. Remains of an interrupted run may be used after verifying their content. */
  fill: (folder: string, say: Say) => Promise<void>
  /** Verifies that the artefact works, for example that every library is found. */
  verify?: (folder: string) => Promise<void>
}

const STAMP = '.complete'

/** Returns the directory of a complete artefact. */
export function artefactFolder(cacheFolder: string, name: string): string {
  return join(cacheFolder, 'dist', name)
}

/** Returns the directory of a fetched or built artefact; does the work only if no complete one is cached. */
export async function ensureArtefact(cacheFolder: string, artefact: Artefact): Promise<string> {
  const folder = artefactFolder(cacheFolder, artefact.name)
  if (existsSync(join(folder, STAMP))) return folder
  await step(artefact.title, (say) =>
    withLock(
      `${folder}.lock`,
      () => say('another start is fetching it, waiting'),
      () => fill(folder, artefact, say),
    ),
  )
  return folder
}

/** Builds beside the target and renames when complete, so that an incomplete directory is never used. */
async function fill(folder: string, artefact: Artefact, say: Say): Promise<void> {
  if (existsSync(join(folder, STAMP))) return
  const part = `${folder}.part`
  mkdirSync(part, { recursive: true, mode: 0o755 })
  await artefact.fill(part, say)
  try {
    await artefact.verify?.(part)
  } catch (error) {
    rmSync(part, { recursive: true, force: true })
    throw error
  }
  // The servers' account must be able to read it, even when root fetched it under a strict umask.
  await run('chmod', ['-R', 'a+rX', part])
  writeFileSync(join(part, STAMP), `${new Date().toISOString()}\n`)
  rmSync(folder, { recursive: true, force: true })
  renameSync(part, folder)
}
