import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { ApiProblem } from './api-problem.ts'
import type { Session } from './session.ts'
import { upload } from './upload.ts'

/** A fake object store that accepts parts, and fails as configured. */
let store: Server
let address: string
let received: Map<number, string>
let refusals: number
let calls: string[]

beforeAll(async () => {
  store = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const refused = refusals-- > 0
    if (!refused) received.set(Number(request.url!.slice(1)), body)
    response.writeHead(refused ? 503 : 200).end()
  })
  await new Promise<void>((resolve) => store.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(store.address() as AddressInfo).port}`
})
afterAll(() => void store.close())
beforeEach(() => {
  received = new Map()
  refusals = 0
  calls = []
})

const refusal = (status: number, code: string) =>
  new ApiProblem({ title: code, status, code, request_id: 'r' })

const session = {
  call: async (operation: { method: string; path: string }, input: { params?: { file_id: string } }) => {
    calls.push(`${operation.method} ${operation.path}`)
    const resumed = operation.path.endsWith('/upload') ? input.params?.file_id : undefined
    if (resumed === 'gone') throw refusal(404, 'FILE_NOT_FOUND')
    if (resumed === 'over') throw refusal(409, 'UPLOAD_OVER')
    const file = { file_id: 'f', state: 'ready' }
    if (!/uploads$|upload$/.test(operation.path)) return file
    const parts = [4, 4, 2].map((size, index) => {
      const isReceived = received.has(index + 1)
      return {
        number: index + 1,
        size,
        received: isReceived,
        url: isReceived ? null : `${address}/${index + 1}`,
      }
    })
    return { file, part_size: 4, parts, urls_expire_at: '' }
  },
} as unknown as Session

it('an upload sends a file in parts, reports progress, and returns the examined file', async () => {
  const progress: number[] = []
  const onProgress = (sent: number) => void progress.push(sent)
  const file = await upload(session, new Blob(['0123456789']), { name: 'a.txt', onProgress })
  expect(file).toMatchObject({ file_id: 'f', state: 'ready' })
  expect([...received.values()].join('')).toBe('0123456789')
  expect(progress).toEqual([4, 8, 10])
  expect(calls).toEqual(['POST /files/uploads', 'POST /files/:file_id/complete', 'GET /files/:file_id'])
})

it('an upload retries only a failed part and the following ones', async () => {
  refusals = 1
  await upload(session, new Blob(['0123456789']), { name: 'a.txt', waitSeconds: 0 })
  expect([...received.values()].join('')).toBe('0123456789')
  expect(calls).toContain('GET /files/:file_id/upload')
})

it('an interrupted upload resumes, and starts again when it no longer exists', async () => {
  received.set(1, '0123')
  const started: string[] = []
  const onStart = (fileId: string) => void started.push(fileId)
  await upload(session, new Blob(['0123456789']), { name: 'a.txt', resume: 'f', onStart, waitSeconds: 0 })
  expect(calls).toEqual(['GET /files/:file_id/upload', 'POST /files/:file_id/complete'])
  expect([...received].sort()).toEqual([
    [1, '0123'],
    [2, '4567'],
    [3, '89'],
  ])
  await upload(session, new Blob(['0123456789']), { name: 'a.txt', resume: 'gone', onStart, waitSeconds: 0 })
  expect(started).toEqual(['f'])
  expect(calls.slice(2)).toEqual([
    'GET /files/:file_id/upload',
    'POST /files/uploads',
    'POST /files/:file_id/complete',
  ])
})

it('an interrupted upload that had arrived completely sends nothing', async () => {
  const file = await upload(session, new Blob(['0123456789']), { name: 'a.txt', resume: 'over' })
  expect(file.state).toBe('ready')
  expect(received.size).toBe(0)
  expect(calls).not.toContain('POST /files/uploads')
})

it('an upload stops when it is aborted', async () => {
  const controller = new AbortController()
  const onProgress = () => controller.abort()
  const done = upload(session, new Blob(['0123456789']), {
    name: 'a.txt',
    onProgress,
    signal: controller.signal,
  })
  await expect(done).rejects.toThrow()
  expect(received.size).toBe(1)
})
