import { request } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import type { StoredDocument, StoredFile } from '@bigtech/contracts'
import { createFaultProxy, type FaultProxy, testObjectStore, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Harness, newId, startHarness } from '../testing/harness.ts'
import { koreanPdf } from '../testing/korean-documents.ts'

const VIRUS = 'a virus that only this test knows'

/** A fake clamd that implements INSTREAM. */
async function startClamd() {
  const server: Server = createServer((socket) => {
    let received = ''
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      // A chunk of length 0 ends the stream.
      if (!received.endsWith('\0\0\0\0')) return
      socket.end(received.includes(VIRUS) ? 'stream: Test-Virus FOUND\0' : 'stream: OK\0')
    })
  })
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    address: `127.0.0.1:${port}`,
    stop: () => new Promise<void>((resolve) => server.close(() => resolve())),
    start: () => listen(port),
  }
}

let s3: FaultProxy
let clamd: Awaited<ReturnType<typeof startClamd>>
let media: Harness
beforeAll(async () => {
  s3 = await createFaultProxy({ host: '127.0.0.1', port: Number(new URL(testObjectStore().url).port) })
  clamd = await startClamd()
  media = await startHarness({
    S3_URL: `http://127.0.0.1:${s3.port}`,
    CLAMD_ADDRESS: clamd.address,
    UPLOAD_IDLE_MS: '1000',
  })
}, 90_000)
afterAll(async () => {
  await media?.stop()
  await s3?.close()
  await clamd?.stop()
})

const note = (text = 'hello') => ({
  name: 'a.txt',
  mime: 'text/plain',
  bytes: new Uint8Array(Buffer.from(text)),
})
const rowsOf = (owner: number) => media.mysql.query('SELECT state FROM files WHERE owner_id = ?', [owner])

async function uploadDocument(owner: number) {
  const form = new FormData()
  form.set('file', new Blob([await koreanPdf()], { type: 'application/pdf' }), 'a.pdf')
  return fetch(`${media.url}/documents/upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await media.token(owner)}` },
    body: form,
  })
}

async function isReady(owner: number, fileId: string, state: StoredFile['state'] = 'ready'): Promise<void> {
  await waitFor(async () => (await media.call(owner, 'GET', `/files/${fileId}`)).body.state === state, {
    timeoutMs: 60_000,
    what: `the file to be ${state}`,
  })
}

describe('an outage of the object store', { timeout: 120_000 }, () => {
  it('during an outage of the object store uploads get 503 with Retry-After and leave nothing, and jobs wait without loss', async () => {
    const owner = newId()
    await s3.cut()
    const file = await media.upload(owner, note())
    expect([file.status, file.body.code, file.headers.get('retry-after')]).toEqual([503, 'UNAVAILABLE', '2'])
    const document = await uploadDocument(owner)
    expect([document.status, document.headers.get('retry-after')]).toEqual([503, '2'])
    expect(await document.json()).toMatchObject({ success: false, error_code: 'UNAVAILABLE' })
    expect(await rowsOf(owner)).toEqual([])
    await s3.restore()

    const [row] = (await waitFor(async () => {
      const answer = await uploadDocument(owner)
      return answer.status === 202 ? [((await answer.json()) as { data: StoredDocument }).data] : undefined
    })) as [StoredDocument]
    await s3.cut()
    const status = async () => (await media.call(owner, 'GET', `/documents/${row.document_id}`)).body.data
    const attempts = () =>
      media.mysql.query<{ attempts: number }>(
        "SELECT attempts FROM jobs WHERE owner_id = ? AND state <> 'succeeded' AND error_code = 'STORE_UNAVAILABLE'",
        [owner],
      )
    await waitFor(async () => (await attempts()).length > 0, { timeoutMs: 30_000, what: 'the job to wait' })
    expect((await status()).status).toBe('pending')
    await s3.restore()
    await waitFor(async () => (await status()).status === 'completed', { timeoutMs: 60_000 })
  })
})

describe('clamd', { timeout: 120_000 }, () => {
  it('clamd rejects an infected file, of which nothing remains', async () => {
    const owner = newId()
    const file = await media.examined(owner, note(`x ${VIRUS}`))
    expect(file).toMatchObject({ state: 'refused', refusal: { code: 'INFECTED' } })
    await waitFor(async () => (await media.objectsOf(file.file_id)).length === 0)
  })

  it('no file is accepted during an outage of clamd, and waiting files are accepted afterwards', async () => {
    const owner = newId()
    await clamd.stop()
    const { body } = await media.upload(owner, note())
    const waits = () =>
      media.mysql.query("SELECT 1 FROM jobs WHERE owner_id = ? AND error_code = 'STORE_UNAVAILABLE'", [owner])
    await waitFor(async () => (await waits()).length > 0, { timeoutMs: 30_000 })
    expect((await media.call(owner, 'GET', `/files/${body.file_id}`)).body.state).toBe('checking')
    await clamd.start()
    await isReady(owner, body.file_id)
  })
})

describe('a stalled upload', { timeout: 60_000 }, () => {
  it('a stalled upload is aborted after UPLOAD_IDLE_MS and leaves nothing', async () => {
    const owner = newId()
    const outgoing = request(`${media.url}/files`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await media.token(owner)}`,
        'content-type': 'multipart/form-data; boundary=x',
        'content-length': 1_000_000,
      },
    })
    outgoing.on('error', () => undefined)
    const head = 'content-disposition: form-data; name="file"; filename="a.txt"\r\ncontent-type: text/plain'
    outgoing.write(`--x\r\n${head}\r\n\r\n${'a'.repeat(10_000)}`)
    const status = await new Promise((resolve) =>
      outgoing.on('response', (response) => resolve(response.statusCode)),
    )
    expect(status).toBe(400)
    outgoing.destroy()
    await waitFor(async () => (await rowsOf(owner)).length === 0)
  })
})

describe('a presigned address', { timeout: 60_000 }, () => {
  it('a presigned URL expires, and is invalid for any other object', async () => {
    const owner = newId()
    const file = await media.examined(owner, note())
    const { url } = (await media.call(owner, 'GET', `/files/${file.file_id}/link`)).body
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('60')
    expect((await fetch(url)).status).toBe(200)
    expect((await fetch(url.replace(file.file_id, crypto.randomUUID()))).status).toBe(403)
    const [key] = await media.objectsOf(file.file_id)
    const short = await media.web.stores.objects.signGet(
      key!,
      { mime: 'text/plain', disposition: 'attachment' },
      1,
    )
    expect((await fetch(short)).status).toBe(200)
    await waitFor(async () => (await fetch(short)).status === 403, { timeoutMs: 20_000 })
  })
})
