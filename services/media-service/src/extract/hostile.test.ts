import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pdfOf, photo, pngOf, zipOf } from '../../testing/samples.ts'
import { declaredType } from './file-types.ts'
import { type Limits, runIsolated, runLimited } from './isolated.ts'

const limits: Limits = { wallMs: 60_000, cpuSeconds: 30, rssMegabytes: 900, heapMegabytes: 400 }
const never = new AbortController().signal
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'media-test-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function check(name: string, mime: string, bytes: Uint8Array | string) {
  const type = declaredType(name, mime)!
  const file = join(folder, 'upload')
  await writeFile(file, bytes)
  const input = { file, mime: type.mime, kind: type.kind, purpose: 'attachment' as const }
  return runIsolated({ name: 'check', folder, input }, limits, never)
}

const xlsx = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
const workbook = { name: 'xl/workbook.xml', content: '<workbook/>' }

describe('a hostile file', { timeout: 120_000 }, () => {
  it.each([
    ['an HTML page declared as an image', 'a.png', 'image/png', '<script>alert(1)</script>', 'TYPE_MISMATCH'],
    ['an image of another type', 'a.png', 'image/png', pdfOf(1), 'TYPE_MISMATCH'],
    ['an image of 60,000 x 60,000 pixels', 'a.png', 'image/png', pngOf(60_000, 60_000), 'IMAGE_TOO_LARGE'],
    ['an image truncated after its header', 'a.png', 'image/png', pngOf(64, 64), 'IMAGE_UNREADABLE'],
    ['nothing', 'a.png', 'image/png', '', 'EMPTY'],
    ['a program declared as text', 'a.txt', 'text/plain', 'MZ\0\0', 'TYPE_MISMATCH'],
    [
      'a workbook that expands to 800 MB',
      'a.xlsx',
      xlsx,
      zipOf([workbook, { name: 'xl/sheet1.xml', content: 'x', claimedSize: 800 * 2 ** 20 }]),
      'ARCHIVE_UNSAFE',
    ],
    [
      'an archive of 6,000 files',
      'a.zip',
      'application/zip',
      zipOf(Array.from({ length: 6_000 }, (_entry, index) => ({ name: `f${index}` }))),
      'ARCHIVE_UNSAFE',
    ],
    [
      'an archive with path traversal',
      'a.zip',
      'application/zip',
      zipOf([{ name: '../../etc/cron' }]),
      'ARCHIVE_UNSAFE',
    ],
    ['an archive declared as a workbook', 'a.xlsx', xlsx, zipOf([{ name: 'a.txt' }]), 'TYPE_MISMATCH'],
    ['half an archive', 'a.zip', 'application/zip', zipOf([workbook]).slice(0, 40), 'DOCUMENT_UNREADABLE'],
    ['half a PDF', 'a.pdf', 'application/pdf', '%PDF-1.4\n1 0 obj', 'DOCUMENT_UNREADABLE'],
  ])('a hostile file is refused: %s', async (_what, name, mime, bytes, code) => {
    expect(await check(name, mime, bytes)).toMatchObject({ ok: false, code })
  })

  it('a PDF of 10,000 pages and a PDF with a cyclic page tree take bounded time', async () => {
    expect(await check('a.pdf', 'application/pdf', pdfOf(10_000))).toMatchObject({ ok: true, pages: 10_000 })
    const looped = await check('a.pdf', 'application/pdf', pdfOf(3, { loop: true }))
    expect(looped).toMatchObject({ ok: true, pages: 1 })
  })

  it('an image cannot hide data behind its pixels: everything after its end is dropped', async () => {
    const polyglot = Buffer.concat([await photo(64, 48), Buffer.from('<script>alert(1)</script>')])
    const outcome = await check('a.jpg', 'image/jpeg', polyglot)
    expect(outcome.ok).toBe(true)
    for (const name of await readdir(folder)) {
      if (name !== 'upload') expect((await readFile(join(folder, name))).includes('script'), name).toBe(false)
    }
  })
})

describe('a child that exceeds a limit', { timeout: 120_000 }, () => {
  const node = (code: string, some: Partial<Limits>) =>
    runLimited(process.execPath, ['-e', code], { ...limits, ...some }, never)

  it.each([
    ['time', 'setInterval(() => {}, 1000)', { wallMs: 1_500 }, 'took longer than 1.5 s'],
    ['CPU', 'for (;;);', { cpuSeconds: 1 }, 'more than 1 s of CPU time'],
    [
      'memory',
      'const a = []; setInterval(() => a.push(Buffer.alloc(5e7, 1)), 5)',
      { rssMegabytes: 300 },
      'more than 300 MB',
    ],
  ])(
    'a child process that exceeds a limit is killed with the reason: %s',
    async (_what, code, some, detail) => {
      await expect(node(code, some)).rejects.toMatchObject({
        code: 'CHECK_FAILED',
        detail: expect.stringContaining(detail),
      })
    },
  )

  it('a child process receives no environment variable of the worker', async () => {
    const output = await node('console.log(JSON.stringify(Object.keys(process.env)))', {})
    expect(JSON.parse(output.toString())).toEqual([])
  })
})
