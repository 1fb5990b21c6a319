import { spawnSync } from 'node:child_process'
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { copyFile, open } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { readPositionals } from '@bigtech/service-kit'
import { waitFor } from '@bigtech/testkit'
import { readPdf } from '../../services/media-service/src/extract/documents/read-pdf.ts'
import { makePictures } from '../../services/media-service/src/extract/pictures.ts'
import { newId } from '../../services/media-service/testing/harness.ts'
import { koreanPdf, koreanWorkbook } from '../../services/media-service/testing/korean-documents.ts'
import { photo } from '../../services/media-service/testing/samples.ts'
import { measure } from './measure.ts'
import { inMb, memoryMb, startMediaSubject, startSink } from './media-subject.ts'

const rows = ['upload', 'small', 'documents', 'jobs', 'pages', 'memory'] as const
type Row = (typeof rows)[number]

const usage = `Usage: node tests/load/media.ts [ROW ...]
What media-service does: ${rows.join(', ')}. Each figure beside its baseline in the same run. Takes about six minutes on two
cores with nothing else to do.

    BIGTECH_SERVERS_FILE=... node tests/load/media.ts              all
    BIGTECH_SERVERS_FILE=... node tests/load/media.ts upload jobs  only these
    MEDIA_LOAD_SCALE=0.1     shortens every row, to see that it runs`

const chosen = readPositionals(usage, rows.length)
const unknown = chosen.filter((name) => !rows.includes(name as Row))
if (unknown.length > 0) {
  console.error(`There is no row "${unknown.join(', ')}": ${rows.join(', ')}.`)
  process.exit(2)
}
const scale = Number(process.env.MEDIA_LOAD_SCALE ?? 1)
const ms = (full: number) => Math.max(500, full * scale)
const count = (full: number) => Math.max(4, Math.round(full * scale))

const UPLOADS = 3
const JOBS = 60
const MEMORY_JOBS = 1_000
/** What the original publishes for one web process and for three. */
const published = { 1: 500, 3: 2_000 } as const

const folder = mkdtempSync(join(tmpdir(), 'media-load-'))
const subject = await startMediaSubject()
const { harness } = subject
const [web] = (await subject.start('web', 1)) as [Awaited<ReturnType<typeof subject.start>>[number]]

const one = (value: number) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)
const print = (title: string, header: readonly string[], lines: readonly (readonly string[])[]) => {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  console.log(
    `\n### ${title}\n\n${[line(header), line(header.map(() => '---')), ...lines.map(line)].join('\n')}`,
  )
}
const text = (bytes: number) => ({ name: 'a.txt', mime: 'text/plain', bytes: Buffer.alloc(bytes, 'a') })

/** MB/s of the fastest of a few uploads, each after the other. */
async function uploadRate(upload: () => Promise<unknown>, bytes: number): Promise<number> {
  let best = 0
  for (let n = 0; n < UPLOADS; n++) {
    const startedAt = performance.now()
    await upload()
    best = Math.max(best, inMb(bytes) / ((performance.now() - startedAt) / 1_000))
  }
  return best
}

async function uploadRow(): Promise<void> {
  const size = Math.round((scale < 1 ? 5 : 49) * 2 ** 20)
  const file = text(size)
  const path = join(folder, 'upload')
  writeFileSync(path, file.bytes)
  const cp = await uploadRate(async () => {
    await copyFile(path, `${path}.copy`)
    const copy = await open(`${path}.copy`)
    await copy.sync()
    await copy.close()
  }, size)
  const sink = await startSink((body) => pipeline(body, createWriteStream(join(folder, 'sink'))))
  const token = await harness.token(newId())
  const toSink = await subject.gateway(sink.url)
  const copied = await uploadRate(() => subject.upload(`${toSink}/api/files`, token, file), size)
  const toMedia = await subject.gateway(web.url)
  const before = memoryMb(web.pid)
  const taken = await uploadRate(() => subject.upload(`${toMedia}/api/files`, token, file), size)
  const peak = memoryMb(web.pid, 'VmHWM')
  await Promise.all(Array.from({ length: 4 }, () => subject.upload(`${toMedia}/api/files`, token, file)))
  await sink.close()
  print(
    `A file of ${one(inMb(size))} MB`,
    ['what', 'MB/s', 'memory of the web process, MB'],
    [
      ['`cp` and fsync, no network', one(cp), '-'],
      ['a server that writes the body to a file, through the gateway', one(copied), '-'],
      [
        '`POST /files`, through the gateway',
        one(taken),
        `${one(before)} before, ${one(peak)} at its highest`,
      ],
      ['four of them at once', '-', `${one(memoryMb(web.pid, 'VmHWM'))} at its highest`],
    ],
  )
}

async function smallRow(): Promise<void> {
  const file = text(10_000)
  const token = await harness.token(newId())
  const { objects } = harness.web.stores
  const put = await measure(16, ms(4_000), (n) => objects.put(`load/${n}`, file.bytes, file.mime))
  const uploads = await measure(16, ms(4_000), () => subject.upload(`${web.url}/files`, token, file))
  print(
    'Small uploads, 10 kB, 16 in flight',
    ['what', 'per second', 'p50 / p99 ms'],
    [
      ['object store alone', one(put.perSecond), `${one(put.p50)} / ${one(put.p99)}`],
      ['`POST /files`', one(uploads.perSecond), `${one(uploads.p50)} / ${one(uploads.p99)}`],
    ],
  )
}

async function documentsRow(): Promise<void> {
  const token = await harness.token(newId())
  const workbook = koreanWorkbook()
  const file = {
    name: 'a.xlsx',
    mime: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    bytes: workbook,
  }
  for (let n = 0; n < 20; n++) await subject.upload(`${web.url}/documents/upload`, token, file)
  const more = await subject.start('web', 2)
  const lines: string[][] = []
  const rates = new Map<string, number>()
  for (const webs of [[web], [web, ...more]]) {
    const urlOf = (n: number) => webs[n % webs.length]!.url
    const runs = [
      ['`GET /live`, the floor', (n: number) => subject.get(`${urlOf(n)}/live`, token), 48],
      ['`GET /documents`', (n: number) => subject.get(`${urlOf(n)}/documents`, token), 48],
      [
        '`POST /documents/upload`',
        (n: number) => subject.upload(`${urlOf(n)}/documents/upload`, token, file),
        16,
      ],
    ] as const
    for (const [what, once, inFlight] of runs) {
      await measure(inFlight, ms(1_000), once)
      const { perSecond, p50, p99 } = await measure(inFlight, ms(5_000), once)
      const key = `${what} ${webs.length}`
      rates.set(key, perSecond)
      const first = rates.get(`${what} 1`)!
      const factor = webs.length === 1 ? '-' : one(perSecond / first)
      const base = what.includes('live') ? '-' : String(published[webs.length as 1 | 3])
      lines.push([what, String(webs.length), one(perSecond), base, factor, `${one(p50)} / ${one(p99)}`])
    }
  }
  for (const process of more) await subject.end(process)
  print(
    `Requests to 1 and 3 web processes, on ${availableParallelism()} cores that also run the stores and the load`,
    ['what', 'web processes', 'per second', 'published', 'factor', 'p50 / p99 ms'],
    lines,
  )
}

/** Forgets what waits, so that a row measures its own jobs alone. */
const emptyQueue = () => harness.mysql.query("DELETE FROM jobs WHERE state = 'queued'")

const doneOf = async (owner: number) => {
  const [row] = await harness.mysql.query<{ n: number }>(
    "SELECT COUNT(*) AS n FROM jobs WHERE owner_id = ? AND state IN ('succeeded', 'failed')",
    [owner],
  )
  return Number(row!.n)
}

/** Queues so many, and returns the jobs per second until all are done or the time is over, and how many were. */
async function runJobs(jobs: number, timeoutMs: number): Promise<{ perSecond: number; done: number }> {
  const owner = newId()
  const token = await harness.token(owner)
  const startedAt = performance.now()
  for (let sent = 0; sent < jobs; sent += 10)
    await Promise.all(
      Array.from({ length: Math.min(10, jobs - sent) }, () =>
        subject.upload(`${web.url}/files`, token, text(1_000)),
      ),
    )
  await waitFor(async () => (await doneOf(owner)) >= jobs, { timeoutMs, what: 'the jobs' }).catch(
    () => undefined,
  )
  const done = await doneOf(owner)
  return { perSecond: done / ((performance.now() - startedAt) / 1_000), done }
}

async function jobsRow(): Promise<void> {
  const startedAt = performance.now()
  const children = count(20)
  for (let n = 0; n < children; n++) spawnSync(process.execPath, ['-e', '0'])
  const bare = children / ((performance.now() - startedAt) / 1_000)
  const lines = [['a child process that does nothing, one after the other', '-', one(bare), '-']]
  let first = 0
  for (const workers of [1, 2, 4]) {
    await emptyQueue()
    const started = await subject.start('worker', workers)
    const { perSecond } = await runJobs(count(JOBS), 60_000)
    for (const worker of started) await subject.end(worker)
    first ||= perSecond
    lines.push(['jobs that examine a text file', String(workers), one(perSecond), one(perSecond / first)])
  }
  print(
    'Jobs, two slots a worker, each in a child process',
    ['what', 'workers', 'per second', 'factor'],
    lines,
  )
}

async function pagesRow(): Promise<void> {
  await emptyQueue()
  const owner = newId()
  const token = await harness.token(owner)
  const [worker] = await subject.start('worker', 1)
  const bytes = await photo(4_000, 3_000)
  const pages = 20
  const pdf = await koreanPdf(pages)
  const path = join(folder, 'photo')
  writeFileSync(path, bytes)
  writeFileSync(join(folder, 'a.pdf'), pdf)
  const pictures = join(folder, 'pictures')
  mkdirSync(pictures)
  const timed = async (work: () => Promise<unknown>) => {
    const startedAt = performance.now()
    await work()
    return performance.now() - startedAt
  }
  const input = { file: path, mime: 'image/jpeg', kind: 'image', purpose: 'attachment' } as const
  await timed(() => makePictures(input, pictures))
  const picturesMs = await timed(() => makePictures(input, pictures))
  const pdfMs = await timed(() => readPdf(join(folder, 'a.pdf')))
  await subject.upload(`${web.url}/files`, token, { name: 'a.jpg', mime: 'image/jpeg', bytes })
  await subject.upload(`${web.url}/documents/upload`, token, {
    name: 'a.pdf',
    mime: 'application/pdf',
    bytes: pdf,
  })
  await waitFor(async () => (await doneOf(owner)) === 2, { timeoutMs: 120_000, what: 'both jobs' })
  const times = await harness.mysql.query<{ kind: string; ms: number }>(
    `SELECT kind, TIMESTAMPDIFF(MICROSECOND, started_at, finished_at) / 1000 AS ms FROM jobs
     WHERE owner_id = ? AND state = 'succeeded'`,
    [owner],
  )
  await subject.end(worker!)
  const of = (kind: string) => Number(times.find((row) => row.kind === kind)?.ms ?? Number.NaN)
  const line = (what: string, whole: number, baseline: number, parts = 1) =>
    [what, one(whole / parts), one(baseline / parts), one(whole / baseline)] as const
  print(
    'Thumbnails and pages, one job',
    ['what', 'ms', 'ms of the same work in one process, without job, child and store', 'ratio'],
    [
      line('a photo of 12 megapixels: examined, written anew, two thumbnails', of('check_file'), picturesMs),
      line(
        `a page of a PDF of ${pages} pages: text, tables, facts, reports`,
        of('process_document'),
        pdfMs,
        pages,
      ),
    ],
  )
}

async function memoryRow(): Promise<void> {
  await emptyQueue()
  const [worker] = await subject.start('worker', 1)
  await runJobs(count(10), 60_000)
  const before = [memoryMb(web.pid), memoryMb(worker!.pid)]
  const { done } = await runJobs(count(MEMORY_JOBS), 240_000 * Math.max(scale, 0.1))
  const after = [memoryMb(web.pid), memoryMb(worker!.pid)]
  await subject.end(worker!)
  print(
    `Memory after ${done} jobs, MB`,
    ['process', 'after 10 jobs', `after ${done}`],
    ['web', 'worker'].map((name, index) => [name, one(before[index]!), one(after[index]!)]),
  )
}

const run: Readonly<Record<Row, () => Promise<void>>> = {
  upload: uploadRow,
  small: smallRow,
  documents: documentsRow,
  jobs: jobsRow,
  pages: pagesRow,
  memory: memoryRow,
}
try {
  for (const row of rows) if (chosen.length === 0 || chosen.includes(row)) await run[row]()
} finally {
  await subject.stop()
  rmSync(folder, { recursive: true, force: true })
}
