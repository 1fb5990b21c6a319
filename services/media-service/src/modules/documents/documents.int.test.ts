import {
  documentDeleted,
  documentFailed,
  documentProcessed,
  type StoredDocument,
  userDeleted,
} from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { type Harness, newId, startHarness } from '../../../testing/harness.ts'
import {
  characterErrors,
  koreanPdf,
  koreanScan,
  koreanWorkbook,
  prose,
  table,
} from '../../../testing/korean-documents.ts'
import { pdfOf, photo, pngOf, zipOf } from '../../../testing/samples.ts'

const OPERATOR = 'operator-token-of-the-tests-0123456789'
let media: Harness
beforeAll(async () => {
  media = await startHarness({ OPERATOR_TOKEN: OPERATOR, WORKER_SLOTS: '3' })
}, 90_000)
afterAll(() => media?.stop())

const mimes = {
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  pdf: 'application/pdf',
  png: 'image/png',
} as const

async function upload(userId: number, name: string, bytes: Uint8Array<ArrayBuffer>, mime?: string) {
  const form = new FormData()
  const extension = name.split('.').at(-1) as keyof typeof mimes
  form.set('file', new Blob([bytes], { type: mime ?? mimes[extension] }), name)
  const response = await fetch(`${media.url}/documents/upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await media.token(userId)}` },
    body: form,
  })
  return {
    status: response.status,
    body: (await response.json()) as { data: StoredDocument; error_code?: string },
  }
}

const get = (userId: number, path: string) => media.call(userId, 'GET', `/documents${path}`)

async function ended(userId: number, id: string): Promise<StoredDocument> {
  let document: StoredDocument | undefined
  await waitFor(
    async () => {
      document = (await get(userId, `/${id}`)).body.data
      return document?.finished_at !== null
    },
    { timeoutMs: 90_000, what: 'the document to end' },
  )
  return document!
}

async function processed(userId: number, name: string, bytes: Uint8Array<ArrayBuffer>) {
  const { status, body } = await upload(userId, name, bytes)
  expect(status, JSON.stringify(body)).toBe(202)
  expect(body).toMatchObject({ success: true, data: { status: expect.stringMatching(/pending|processing/) } })
  return ended(userId, body.data.document_id)
}

describe('a document', { timeout: 180_000 }, () => {
  it('a document is stored, analyzed, and returned with data, three reports and its bytes', async () => {
    const owner = newId()
    const bytes = koreanWorkbook()
    const document = await processed(owner, '매출 보고.xlsx', bytes)
    expect(document).toMatchObject({
      status: 'completed',
      type: 'xlsx',
      language: 'ko',
      tables: 1,
      progress: 100,
    })
    const { body } = await get(owner, `/${document.document_id}/extracted-data`)
    expect(body).toMatchObject({ success: true, data: { tables: [{ name: '매출', rows: table }] } })
    const text = body.data.text.map((page: { text: string }) => page.text).join('\n')
    expect(characterErrors([...prose, ...table.map((row) => row.join(''))].join(''), text)).toBe(0)
    const { body: reports } = await get(owner, `/${document.document_id}/reports`)
    for (const [format, begin] of [
      ['html', '<!doctype html>'],
      ['pdf', '%PDF-'],
    ]) {
      const path = reports.data.find((report: { format: string }) => report.format === format).path
      const report = await media.call(owner, 'GET', path)
      expect(report.body.toString().startsWith(begin), format).toBe(true)
      expect(report.headers.get('content-disposition')).toMatch(/^attachment/)
    }
    expect((await get(owner, `/${document.document_id}/reports/json`)).body).toMatchObject({
      name: '매출 보고.xlsx',
    })
    expect((await get(owner, `/${document.document_id}/download`)).body).toEqual(Buffer.from(bytes))
    await media.eventOf(documentProcessed, (event) => event.document_id === document.document_id)
  })

  it('documents are listed by status, type and part of the name, page by page, and counted', async () => {
    const owner = newId()
    for (const name of ['100% 이익.pdf', '100 매출.pdf']) await processed(owner, name, await koreanPdf())
    await processed(owner, '표.xlsx', koreanWorkbook())
    const names = async (query: string) => {
      const { body } = await get(owner, query)
      return { ...body, data: body.data.map(({ name }: StoredDocument) => name) }
    }
    expect(await names('?page_size=2')).toMatchObject({
      data: ['표.xlsx', '100 매출.pdf'],
      total: 3,
      page: 1,
      page_size: 2,
      total_pages: 2,
    })
    expect(await names('?page_size=2&page=2')).toMatchObject({ data: ['100% 이익.pdf'] })
    expect(await names('?type=xlsx')).toMatchObject({ data: ['표.xlsx'], total: 1 })
    expect(await names(`?search=${encodeURIComponent('100%')}`)).toMatchObject({ data: ['100% 이익.pdf'] })
    expect(await names('?status=failed')).toMatchObject({ data: [], total: 0, total_pages: 0 })
    expect((await get(owner, '/stats/summary')).body).toMatchObject({
      success: true,
      data: { total: 3, by_status: { completed: 3, failed: 0 }, by_type: { pdf: 2, xlsx: 1 } },
    })
  })

  it('a document returns failures in the envelope, and is invisible to other users', async () => {
    const owner = newId()
    const { document_id: id } = await processed(owner, 'a.pdf', await koreanPdf())
    for (const path of ['', '/extracted-data', '/reports', '/reports/pdf', '/download']) {
      const { status, body } = await get(newId(), `/${id}${path}`)
      expect([status, body.success, body.error_code], path).toEqual([404, false, 'DOCUMENT_NOT_FOUND'])
    }
    for (const [method, path] of [
      ['DELETE', ''],
      ['POST', '/reprocess'],
      ['POST', '/cancel'],
    ] as const)
      expect((await media.call(newId(), method, `/documents/${id}${path}`)).status).toBe(404)
    const invalid = await get(owner, '?page=0')
    expect(invalid.body).toMatchObject({
      success: false,
      error_code: 'VALIDATION_FAILED',
      details: { status: 422, errors: [{ field: 'page' }] },
    })
    expect((await media.call(null, 'GET', '/documents')).body).toMatchObject({
      error_code: 'NOT_AUTHENTICATED',
    })
    // Files and documents are accessible only by their own paths.
    expect((await media.call(owner, 'GET', `/files/${id}`)).status).toBe(404)
    expect((await media.call(owner, 'GET', '/files')).body.items).toEqual([])
  })

  it('a document can be analyzed again, and leaves nothing when deleted', async () => {
    const owner = newId()
    const { document_id: id } = await processed(owner, 'a.pdf', await koreanPdf())
    expect((await media.call(owner, 'POST', `/documents/${id}/cancel`)).body.error_code).toBe(
      'DOCUMENT_NOT_RUNNING',
    )
    expect((await media.call(owner, 'POST', `/documents/${id}/reprocess`)).status).toBe(202)
    expect(await ended(owner, id)).toMatchObject({ status: 'completed' })
    expect((await media.call(owner, 'DELETE', `/documents/${id}`)).body).toMatchObject({
      data: { document_id: id },
    })
    expect((await get(owner, `/${id}`)).status).toBe(404)
    await waitFor(async () => (await media.objectsOf(id)).length === 0, {
      timeoutMs: 60_000,
      what: 'its objects to be gone',
    })
    await media.eventOf(documentDeleted, (event) => event.document_id === id)
  })

  it('a document is cancelled within 6 s while a child process reads it, and can be analyzed later', async () => {
    const owner = newId()
    const long = await koreanScan(Array.from({ length: 8 }, () => prose).flat())
    const { body } = await upload(owner, 'scan.png', long)
    const id = body.data.document_id
    await waitFor(async () => (await get(owner, `/${id}`)).body.data.stage === 'extracting', {
      timeoutMs: 60_000,
    })
    const asked = performance.now()
    expect((await media.call(owner, 'POST', `/documents/${id}/cancel`)).status).toBe(202)
    expect(await ended(owner, id)).toMatchObject({ status: 'cancelled', error_code: 'CANCELLED' })
    expect(performance.now() - asked).toBeLessThan(6_000)
    expect((await get(owner, `/${id}/download`)).body.error_code).toBe('DOCUMENT_NOT_READY')
    const { body: again } = await media.call(owner, 'POST', `/documents/${id}/reprocess`)
    expect(again.data.status).toMatch(/pending|processing/)
    await media.call(owner, 'DELETE', `/documents/${id}`)
    await waitFor(async () => (await media.objectsOf(id)).length === 0, { timeoutMs: 60_000 })
  })

  it('a document is exported for its owner together with files, and for nobody else', async () => {
    const owner = newId()
    const { document_id } = await processed(owner, 'a.xlsx', koreanWorkbook())
    const note = { name: 'a.txt', mime: 'text/plain', bytes: bytesOf('hello') }
    const { file_id } = await media.examined(owner, note)
    expect((await media.call(owner, 'GET', '/files/export')).body).toMatchObject({
      user_id: owner,
      files: [{ file_id }],
      documents: [{ document_id, status: 'completed' }],
    })
    expect((await media.call(newId(), 'GET', '/files/export')).body).toMatchObject({
      files: [],
      documents: [],
    })
  })

  it("a document is deleted with its owner's account, and counts toward the quota", async () => {
    const owner = newId()
    const { document_id: id, size } = await processed(owner, 'a.pdf', await koreanPdf())
    expect((await media.call(owner, 'GET', '/files/usage')).body).toMatchObject({ used_bytes: size })
    await media.publish(userDeleted, {
      user_id: owner,
      deletion_id: crypto.randomUUID(),
      message_policy: 'remove',
    })
    await waitFor(async () => (await media.objectsOf(id)).length === 0, { timeoutMs: 60_000 })
    expect((await get(owner, '')).body.total).toBe(0)
  })
})

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text))

describe('a hostile document', { timeout: 180_000 }, () => {
  it.each([
    ['no bytes', 'a.pdf', undefined, bytesOf(''), 422, 'FILE_EMPTY'],
    ['another type than its name', 'a.pdf', mimes.xlsx, bytesOf('%PDF-'), 415, 'FILE_TYPE_REFUSED'],
    [
      'an HTML page as an image',
      'a.png',
      undefined,
      bytesOf('<script>alert(1)</script>'),
      415,
      'FILE_TYPE_REFUSED',
    ],
    [
      'an SVG with a script',
      'a.svg',
      'image/svg+xml',
      bytesOf('<svg onload="x"/>'),
      415,
      'FILE_TYPE_REFUSED',
    ],
    ['a text', 'a.txt', 'text/plain', bytesOf('hello'), 415, 'FILE_TYPE_REFUSED'],
    ['a path as name', '../../a.pdf', mimes.pdf, bytesOf('%PDF-1.4'), 422, 'VALIDATION_FAILED'],
    [
      'a name with a direction override',
      'a\u202efdp.pdf',
      mimes.pdf,
      bytesOf('%PDF-1.4'),
      422,
      'VALIDATION_FAILED',
    ],
    ['11 MB', 'a.pdf', undefined, bytesOf(`%PDF-1.4 ${'x'.repeat(11 * 2 ** 20)}`), 413, 'FILE_TOO_LARGE'],
  ])('a hostile document is rejected at the upload: %s', async (_what, name, mime, bytes, status, code) => {
    const owner = newId()
    const answer = await upload(owner, name, bytes, mime)
    expect([answer.status, answer.body.error_code]).toEqual([status, code])
    expect((await get(owner, '')).body.total).toBe(0)
  })

  const workbook = { name: 'xl/workbook.xml', content: '<workbook/>' }
  const bomb = { name: 'xl/sheet1.xml', content: 'x', claimedSize: 800 * 2 ** 20 }
  it.concurrent.each([
    ['a workbook that expands to 800 MB', 'a.xlsx', zipOf([workbook, bomb]), 'ARCHIVE_UNSAFE'],
    ['a workbook without sheets', 'a.xlsx', zipOf([workbook]), 'DOCUMENT_UNREADABLE'],
    ['half a PDF', 'a.pdf', bytesOf('%PDF-1.4\n1 0 obj'), 'DOCUMENT_UNREADABLE'],
    ['60,000 x 60,000 pixels', 'a.png', pngOf(60_000, 60_000), 'IMAGE_TOO_LARGE'],
    ['an image truncated after its header', 'a.png', pngOf(64, 64), 'IMAGE_UNREADABLE'],
  ])(
    'a hostile document fails with a reason, leaves nothing in the store, and does not stop the worker: %s',
    async (_what, name, bytes, code) => {
      const owner = newId()
      const failed = await processed(owner, name, bytes)
      expect(failed).toMatchObject({
        status: 'failed',
        error_code: code,
        error_detail: expect.stringMatching(/\w/),
      })
      await waitFor(async () => (await media.objectsOf(failed.document_id)).length === 0, {
        timeoutMs: 60_000,
      })
      expect(
        (await media.call(owner, 'POST', `/documents/${failed.document_id}/reprocess`)).body.error_code,
      ).toBe('DOCUMENT_REFUSED')
      await media.eventOf(documentFailed, (event) => event.document_id === failed.document_id)
    },
  )

  it('a PDF of 10,000 pages is read partially, with a warning, in bounded time', async () => {
    const owner = newId()
    const document = await processed(owner, 'a.pdf', pdfOf(10_000))
    expect(document).toMatchObject({ status: 'completed', pages: 300 })
    const { body } = await get(owner, `/${document.document_id}/extracted-data`)
    expect(body.data).toMatchObject({ pages_total: 10_000, pages_read: 300 })
    expect(body.data.warnings[0]).toContain('300 of 10000')
  })

  it('an image sent as a document loses EXIF location and data behind its pixels', async () => {
    const owner = newId()
    const polyglot = Buffer.concat([await photo(200, 100), Buffer.from('<script>alert(1)</script>')])
    const { body } = await upload(owner, 'a.jpg', new Uint8Array(polyglot), 'image/jpeg')
    const document = await ended(owner, body.data.document_id)
    expect(document.status).toBe('completed')
    const stored = await get(owner, `/${document.document_id}/download`)
    for (const secret of ['script', 'SECRET-OWNER']) expect(stored.body.includes(secret), secret).toBe(false)
    const key = `${document.document_id}/upload`
    await waitFor(async () => !(await media.objectsOf(document.document_id)).includes(key))
  })
})

async function openSocket(ticket: string) {
  const socket = new WebSocket(`${media.url.replace('http', 'ws')}/ws?ticket=${ticket}`)
  // biome-ignore lint/suspicious/noExplicitAny: tests inspect arbitrary fields
  const frames: any[] = []
  let closedWith = 0
  socket.on('message', (data) => frames.push(JSON.parse(String(data))))
  socket.on('close', (code) => {
    closedWith = code
  })
  const refusal = await new Promise<number | null>((resolve) => {
    socket.on('open', () => resolve(null))
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
    socket.on('error', () => resolve(0))
  })
  return { socket, frames, refusal, closedWith: () => closedWith }
}

describe('the WebSocket', { timeout: 120_000 }, () => {
  const ticketOf = async (userId: number) =>
    (await media.call(userId, 'POST', '/ws/tickets')).body.ticket as string

  it('the WebSocket sends every step of a document to its owner only', async () => {
    const [owner, other] = [newId(), newId()]
    const [mine, theirs] = [await openSocket(await ticketOf(owner)), await openSocket(await ticketOf(other))]
    await waitFor(() => mine.frames.length === 1 && theirs.frames.length === 1)
    expect(mine.frames[0]).toEqual({ type: 'connected', documents: [] })
    const { document_id: id } = await processed(owner, 'a.pdf', await koreanPdf())
    const isTold = (type: string) => mine.frames.some((frame) => frame.type === type)
    await waitFor(() => isTold('document_completed'), { what: 'the frame of the end' })
    expect(mine.frames.at(-1).document).toMatchObject({ document_id: id, status: 'completed' })
    await media.call(owner, 'DELETE', `/documents/${id}`)
    await waitFor(() => isTold('document_deleted'), { timeoutMs: 60_000 })
    expect(theirs.frames).toHaveLength(1)
    mine.socket.close()
    theirs.socket.close()
  })

  it('the WebSocket opens once with a ticket, and never without one', async () => {
    const ticket = await ticketOf(newId())
    const first = await openSocket(ticket)
    expect(first.refusal).toBeNull()
    expect((await openSocket(ticket)).refusal).toBe(401)
    expect((await openSocket('unknown')).refusal).toBe(401)
    expect((await media.call(null, 'GET', '/ws')).status).toBe(400)
    first.socket.send('x'.repeat(5_000))
    await waitFor(() => first.closedWith() === 1009, { what: 'the oversized frame to end the socket' })
  })
})

describe('the file of a message', { timeout: 120_000 }, () => {
  it('the file of a message is analyzed for a user who sees the message, and the report becomes a file for that room', async () => {
    const [sender, reader] = [newId(), newId()]
    const bytes = await koreanPdf()
    const file = await media.examined(sender, { name: '계약.pdf', mime: mimes.pdf, bytes })
    const messageId = '7:000000000042'
    media.show(messageId, file.file_id, [reader])
    const refused = await media.call(newId(), 'POST', '/documents/analyze', { message_id: messageId })
    expect([refused.status, refused.body.error_code]).toEqual([404, 'FILE_NOT_FOUND'])
    const { status, body } = await media.call(reader, 'POST', '/documents/analyze', { message_id: messageId })
    expect([status, body.data.room_id, body.data.message_id]).toEqual([202, 7, messageId])
    await ended(reader, body.data.document_id)
    let report: string | undefined
    await media.eventOf(documentProcessed, (event) => {
      if (event.document_id !== body.data.document_id) return false
      report = event.report?.file_id
      expect(event.report).toMatchObject({ room_id: 7, message_id: messageId, name: '계약 분석 보고서.pdf' })
      return true
    })
    const content = await media.call(reader, 'GET', `/files/${report}/content`)
    expect(content.body.subarray(0, 5).toString()).toBe('%PDF-')
    expect((await get(sender, '')).body.total).toBe(0)
  })
})

describe('the monitor page', { timeout: 120_000 }, () => {
  const operate = async (method: string, path: string, token = OPERATOR) => {
    const response = await fetch(media.url + path, { method, headers: { authorization: `Bearer ${token}` } })
    // biome-ignore lint/suspicious/noExplicitAny: tests inspect arbitrary fields
    return { status: response.status, body: (await response.json()) as any }
  }

  it('the monitor page shows workers, results and run times to operators only', async () => {
    const page = await fetch(`${media.url}/monitor`)
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    for (const asset of ['page.js', 'page.css'])
      expect((await fetch(`${media.url}/monitor/${asset}`)).status).toBe(200)
    const user = await media.token(newId())
    for (const token of ['wrong', user])
      expect((await operate('GET', '/monitor/overview', token)).status).toBe(401)
    await processed(newId(), 'a.pdf', await koreanPdf())
    const { body } = await operate('GET', '/monitor/overview')
    expect(body.workers).toEqual([expect.objectContaining({ alive: true, slots: 3 })])
    const documents = body.kinds.find(({ kind }: { kind: string }) => kind === 'process_document')
    expect(documents.succeeded).toBeGreaterThan(0)
    expect(documents.p95_seconds).toBeGreaterThanOrEqual(documents.p50_seconds)
  })

  it('the monitor page cancels and retries jobs together with their documents', async () => {
    const owner = newId()
    const { body } = await upload(
      owner,
      'scan.png',
      await koreanScan(Array.from({ length: 6 }, () => prose).flat()),
    )
    const id = body.data.document_id
    const jobs = async () => (await operate('GET', '/monitor/jobs?kind=process_document')).body.items
    const job = (await jobs()).find((each: { subject_id: string }) => each.subject_id === id)
    expect((await operate('POST', `/monitor/jobs/${job.job_id}/retry`)).body.code).toBe('JOB_STATE_CONFLICT')
    expect((await operate('POST', `/monitor/jobs/${job.job_id}/cancel`)).status).toBe(200)
    expect(await ended(owner, id)).toMatchObject({ status: 'cancelled' })
    expect((await operate('POST', `/monitor/jobs/${job.job_id}/retry`)).body).toMatchObject({
      state: 'queued',
    })
    expect((await get(owner, `/${id}`)).body.data.status).toMatch(/pending|processing/)
    await media.call(owner, 'DELETE', `/documents/${id}`)
    expect((await operate('POST', `/monitor/jobs/${crypto.randomUUID()}/retry`)).status).toBe(404)
  })
})
