import { Readable } from 'node:stream'
import { StoreUnavailable } from '@bigtech/service-kit'
import { expect, it } from 'vitest'
import { streamTo } from './upload-stream.ts'

const options = { limit: 1_000, idleMs: 1_000, isTruncated: () => false }
const head = Buffer.from('head')
const never = new Promise<void>(() => undefined)

it('an error of the object store is not reported as an upload that the client interrupted', async () => {
  for (const failure of [new StoreUnavailable('s3', new Error('down')), new Error('AccessDenied')]) {
    const put = async () => {
      throw failure
    }
    const body = new Readable({ read: () => undefined })
    await expect(streamTo(body, head, { ...options, put })).rejects.toBe(failure)
  }
})

it('an upload that the client interrupts is reported as such, and the store aborts it', async () => {
  const body = new Readable({ read: () => undefined })
  let isAborted = false
  const put = async (_body: Readable, signal: AbortSignal) => {
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        isAborted = true
        reject(signal.reason)
      })
    })
    await Promise.race([never, aborted])
  }
  setImmediate(() => body.destroy(new Error('ECONNRESET')))
  await expect(streamTo(body, head, { ...options, put })).rejects.toMatchObject({ code: 'UPLOAD_CUT' })
  expect(isAborted).toBe(true)
})
