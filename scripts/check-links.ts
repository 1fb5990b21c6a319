import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** Fails on a Markdown link to a missing file or heading, and on a path of a file that is not a link. Does not use the network. */
const root = join(import.meta.dirname, '..')

interface Link {
  readonly from: string
  readonly line: number
  readonly target: string
}

const withoutBlocks = (text: string) =>
  text.replace(/^```[^\n]*\n(?:(?!```)[^\n]*\n)*```/gm, (block) => block.replace(/[^\n]/g, ''))

function linksOf(file: string): Link[] {
  const text = withoutBlocks(readFileSync(join(root, file), 'utf8')).replace(/`[^`\n]*`/g, '')
  return text.split('\n').flatMap((line, index) =>
    [...line.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => ({
      from: file,
      line: index + 1,
      target: target!,
    })),
  )
}

/** Returns the anchors of a page as GitHub generates them: headings in lower case with dashes, and explicit ids. */
function anchorsOf(file: string): Set<string> {
  const text = readFileSync(file, 'utf8')
  const headings = [...withoutBlocks(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
  return new Set([...headings, ...[...text.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id!)])
}

/** Returns the paths of existing files in plain text: code and links are left out. */
function barePathsOf(file: string): Link[] {
  const text = withoutBlocks(readFileSync(join(root, file), 'utf8')).replace(
    /`[^`\n]*`|\[[^\]]*\]\([^)]*\)|<[^>\n]*>|^ {4}.*$/gm,
    '',
  )
  return text
    .split('\n')
    .flatMap((line, index) =>
      [...line.matchAll(/[\w.-]+(?:\/[\w.-]+)+\.[a-z]{2,4}\b/g)]
        .map(([target]) => ({ from: file, line: index + 1, target }))
        .filter(({ target }) => existsSync(join(root, target))),
    )
}

function faultOf({ from, target }: Link): string | null {
  if (/^[a-z]+:/i.test(target)) return null
  const [path = '', anchor] = decodeURIComponent(target).split('#')
  const file = path === '' ? from : normalize(join(dirname(from), path))
  if (!existsSync(join(root, file))) return `there is no ${file}`
  if (anchor === undefined || !file.endsWith('.md')) return null
  return anchorsOf(join(root, file)).has(anchor) ? null : `${file} has no heading #${anchor}`
}

const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
const pages = listed.split('\n').filter((file) => file && existsSync(join(root, file)))
let dead = 0
for (const { from, line, target } of pages.flatMap(barePathsOf)) {
  dead++
  console.error(`${from}:${line}: ${target} is not a link.`)
}
for (const link of pages.flatMap(linksOf)) {
  const fault = faultOf(link)
  if (fault === null) continue
  dead++
  console.error(`${link.from}:${link.line}: ${link.target}: ${fault}.`)
}
process.exit(dead === 0 ? 0 : 1)
