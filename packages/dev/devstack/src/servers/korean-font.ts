import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureArtefact } from '../fetch/artefact.ts'
import { unpackDebian } from '../fetch/debian.ts'
import { findProgram } from '../paths.ts'
import { run } from '../run.ts'

const FONT = 'fonts-nanum'

/**
 * Returns the environment in which a headless browser shows Hangul: empty where the system has a Korean font,
 * else with a font of Debian, unpacked privately.
 */
export async function koreanFontEnvironment(cacheFolder: string): Promise<Record<string, string>> {
  if (process.env.FONTCONFIG_FILE || process.platform !== 'linux' || (await hasKoreanFont())) return {}
  const folder = await ensureArtefact(cacheFolder, {
    name: FONT,
    title: 'A Korean font for the browser tests: about 10 MB',
    fill: async (part, say) => {
      const otherwise =
        'Browser tests show boxes in place of Hangul: install a Korean font, for example Nanum.'
      await unpackDebian(part, { packages: [FONT], isWanted: (name) => name === FONT, otherwise }, say)
      writeFontConfig(part)
    },
  })
  return { FONTCONFIG_FILE: join(folder, 'fonts.conf') }
}

async function hasKoreanFont(): Promise<boolean> {
  const program = findProgram('fc-list')
  return program !== undefined && (await run(program, [':lang=ko', 'family'])).trim() !== ''
}

/** Writes a configuration that adds the fonts of a folder to those of the system. The folder may be moved. */
export function writeFontConfig(folder: string): void {
  writeFileSync(
    join(folder, 'fonts.conf'),
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">fonts.conf</include>
  <dir prefix="relative">usr/share/fonts</dir>
</fontconfig>
`,
  )
}
