import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { artefactFolder, ensureArtefact } from '../fetch/artefact.ts'
import { libraryEnv, requireLibraries, triplet, unpackDebian } from '../fetch/debian.ts'
import { findProgram } from '../paths.ts'
import { run } from '../run.ts'

/** Programs that decode recordings and synthesize the clips of practice scripts. */
export interface AudioTools {
  readonly ffmpeg: string
  readonly espeak: string
}

const artefactName = () => `audio-tools-${triplet()}`
const extraLibraries = () => [
  `usr/lib/${triplet()}/pulseaudio`,
  `usr/lib/${triplet()}/blas`,
  `usr/lib/${triplet()}/lapack`,
]

/** Returns the paths of fetched ffmpeg and espeak-ng: the machine's, else Debian's. */
export function audioTools(cacheFolder: string): AudioTools {
  const ffmpeg = findProgram('ffmpeg')
  const espeak = findProgram('espeak-ng')
  if (ffmpeg && espeak) return { ffmpeg, espeak }
  const folder = artefactFolder(cacheFolder, artefactName())
  return { ffmpeg: join(folder, 'ffmpeg'), espeak: join(folder, 'espeak-ng') }
}

/** Fetches missing audio tools and unpacks them privately. */
export async function fetchAudioTools(cacheFolder: string): Promise<AudioTools> {
  if (findProgram('ffmpeg') && findProgram('espeak-ng')) return audioTools(cacheFolder)
  await ensureArtefact(cacheFolder, {
    name: artefactName(),
    title: 'ffmpeg and espeak-ng: packages, about 100 MB',
    fill: async (part, say) => {
      const otherwise = 'Voice messages and voice practice need ffmpeg and espeak-ng: install them.'
      await unpackDebian(part, { packages: ['ffmpeg', 'espeak-ng'], otherwise }, say)
      writeWrapper(part, 'ffmpeg', '')
      writeWrapper(part, 'espeak-ng', `export ESPEAK_DATA_PATH="$here/usr/lib/${triplet()}"\n`)
    },
    verify: async (part) => {
      for (const name of ['ffmpeg', 'espeak-ng'])
        await requireLibraries(join(part, 'usr/bin', name), libraryEnv(part, extraLibraries()))
      await run(join(part, 'ffmpeg'), ['-version'])
      await run(join(part, 'espeak-ng'), ['--version'])
    },
  })
  return audioTools(cacheFolder)
}

/** Writes a wrapper that finds its libraries relative to itself, because the directory is moved later. */
function writeWrapper(folder: string, name: string, settings: string): void {
  const libraries = [`usr/lib/${triplet()}`, `lib/${triplet()}`, ...extraLibraries()]
  const script = `#!/bin/sh
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
export LD_LIBRARY_PATH="${libraries.map((library) => `$here/${library}`).join(':')}"
${settings}exec "$here/usr/bin/${name}" "$@"
`
  writeFileSync(join(folder, name), script)
  chmodSync(join(folder, name), 0o755)
}
