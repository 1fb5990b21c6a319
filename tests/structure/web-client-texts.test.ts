import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const folder = join(import.meta.dirname, '../../packages/web-client/src')

async function keysOf(part: string): Promise<string[]> {
  const { texts } = (await import(join(folder, `i18n/${part}en.ts`))) as { texts: Record<string, string> }
  return Object.keys(texts).map((key) => key.replace(/_(one|other)$/, ''))
}

const parts = {
  app: await keysOf(''),
  pages: await keysOf('pages.'),
  files: await keysOf('files.'),
  security: await keysOf('security.'),
}

type Part = keyof typeof parts

const imports = /(?:^(?:import|export) (?!type )[^'";]*? from |\blazy\(\(\) => import\()'(\.[^']+)'/gm

/** The source of a module and all that it imports, but for what it loads later with texts. */
function sourcesOf(entry: string): string {
  const found = new Set([join(folder, entry)])
  let all = ''
  for (const path of found) {
    const source = readFileSync(path, 'utf8')
    all += source
    for (const [, from = ''] of source.matchAll(imports))
      if (!from.includes('/i18n/')) found.add(join(dirname(path), from))
  }
  return all
}

const firstScreen = sourcesOf('main.tsx') + sourcesOf('chat-app.tsx')

const shows = (source: string, key: string): boolean =>
  source.includes(`'${key}'`) || source.includes(`"${key}"`)

function shownBut(source: string, loaded: readonly Part[]): string[] {
  const known = new Set(loaded.flatMap((part) => parts[part]))
  return [...new Set(Object.values(parts).flat())].filter((key) => !known.has(key) && shows(source, key))
}

/** What an open room loads with the texts of files. */
const ofFiles = [...firstScreen.matchAll(/lazyWithTexts\('files', \(\) => import\('\.\/([^']+)'/g)].map(
  ([, path]) => sourcesOf(`room/${path}`),
)

describe('texts of the web client', () => {
  it('the list of rooms and an open room show no text that is loaded later', () => {
    expect(shownBut(firstScreen, ['app'])).toEqual([])
  })

  it('what an open room loads with the texts of files shows no other text that is loaded later', () => {
    expect(ofFiles.length).toBeGreaterThan(0)
    for (const source of ofFiles) expect(shownBut(source, ['app', 'files'])).toEqual([])
  })

  it('the texts of the first screen are no more than it shows', () => {
    // Codes of errors and names of fields are put together.
    const isMade = (key: string) => /^(error|rule)\./.test(key)
    const withFiles = [firstScreen, ...ofFiles].join()
    expect(parts.app.filter((key) => !isMade(key) && !shows(withFiles, key))).toEqual([])
  })
})
