import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureArtefact } from '../fetch/artefact.ts'
import { libraryEnv, requireLibraries, triplet, unpackDebian } from '../fetch/debian.ts'
import { findProgram } from '../paths.ts'
import { run } from '../run.ts'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const macApp = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'

/** Returns the path of a Chromium for browser tests: the machine's, or Debian's unpacked privately. */
export async function findChromium(cacheFolder: string): Promise<string> {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH
  for (const name of names) {
    const program = findProgram(name)
    if (program) return program
  }
  if (existsSync(macApp)) return macApp
  const folder = await ensureArtefact(cacheFolder, {
    name: `chromium-${triplet()}`,
    title: 'Chromium for the browser tests: packages, about 120 MB',
    fill: async (part, say) => {
      const otherwise =
        'The browser tests need Chromium: install chromium or Google Chrome, or set CHROMIUM_PATH.'
      await unpackDebian(part, { packages: ['chromium', 'fonts-dejavu-core'], otherwise }, say)
      writeWrapper(part)
    },
    verify: async (part) => {
      await requireLibraries(
        join(part, 'usr/lib/chromium/chromium'),
        libraryEnv(part, [`usr/lib/${triplet()}/pulseaudio`]),
      )
      await run(join(part, 'chromium'), ['--version'])
    },
  })
  return join(folder, 'chromium')
}

/** Writes a wrapper that finds libraries and fonts relative to itself, because the directory is moved later. */
function writeWrapper(folder: string): void {
  const script = `#!/bin/sh
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
export LD_LIBRARY_PATH="$here/usr/lib/${triplet()}:$here/lib/${triplet()}:$here/usr/lib/${triplet()}/pulseaudio\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
[ -e /etc/fonts/fonts.conf ] || export FONTCONFIG_PATH="$here/etc/fonts"
exec "$here/usr/lib/chromium/chromium" "$@"
`
  writeFileSync(join(folder, 'chromium'), script)
  chmodSync(join(folder, 'chromium'), 0o755)
}
