import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findProgram } from '../paths.ts'
import { run } from '../run.ts'
import { writeFontConfig } from './korean-font.ts'

const fcList = findProgram('fc-list')

it.skipIf(!fcList)('programs find the fonts of a moved folder beside those of the system', async () => {
  const [system = ''] = (await run(fcList!, ['--format', '%{file}\n'])).split('\n')
  const parent = mkdtempSync(join(tmpdir(), 'fonts-'))
  const fonts = join(parent, 'part/usr/share/fonts')
  mkdirSync(fonts, { recursive: true })
  if (system) cpSync(system, join(fonts, 'copy.ttf'))
  writeFontConfig(join(parent, 'part'))
  renameSync(join(parent, 'part'), join(parent, 'moved'))
  const env = { ...process.env, FONTCONFIG_FILE: join(parent, 'moved/fonts.conf') }
  const listed = (await run(fcList!, ['--format', '%{file}\n'], { env })).split('\n')
  rmSync(parent, { recursive: true })
  expect(listed).toContain(join(parent, 'moved/usr/share/fonts/copy.ttf'))
  expect(listed).toContain(system)
})
