import { PassThrough, type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Problem, StoreUnavailable } from '@bigtech/service-kit'
import { HEAD_BYTES } from '../../extract/check-file.ts'

/**
 * Reads enough of a body to recognize its type and leaves the rest in it.
 * @throws Problem UPLOAD_CUT when nothing arrives for `idleMs` or the client has disconnected
 */
export async function readHead(body: Readable, idleMs: number): Promise<Buffer> {
  const idle = setTimeout(() => body.destroy(new Problem('UPLOAD_CUT')), idleMs)
  const iterator = body.iterator({ destroyOnReturn: false })
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    while (bytes < HEAD_BYTES) {
      const { value, done } = (await iterator.next()) as IteratorResult<Buffer, undefined>
      if (done) break
      chunks.push(value)
      bytes += value.length
      idle.refresh()
    }
    await iterator.return?.()
    return Buffer.concat(chunks)
  } catch (cause) {
    throw cause instanceof Problem ? cause : new Problem('UPLOAD_CUT', { cause })
  } finally {
    clearTimeout(idle)
  }
}

export interface StreamOptions {
  readonly limit: number
  readonly idleMs: number
  /** Whether the parser truncated the body at its limit. */
  readonly isTruncated: () => boolean
  readonly put: (body: Readable, signal: AbortSignal) => Promise<void>
}

/**
 * Streams a body to the store with at most one part in memory. Returns its size in bytes; a failure leaves
 * nothing in the store.
 * @throws Problem FILE_TOO_LARGE, UPLOAD_CUT; StoreUnavailable
 */
export async function streamTo(body: Readable, head: Buffer, options: StreamOptions): Promise<number> {
  const { limit, idleMs } = options
  const aborted = new AbortController()
  let size = head.length
  const idle = setTimeout(() => body.destroy(new Problem('UPLOAD_CUT')), idleMs)
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      size += chunk.length
      idle.refresh()
      callback(size > limit ? tooLarge(limit) : null, chunk)
    },
    // The parser ends an oversized body as if it were complete.
    flush: (callback) => callback(options.isTruncated() ? tooLarge(limit) : null),
  })
  const target = new PassThrough()
  target.write(head)
  const stored = options.put(target, aborted.signal)
  // The first failure is reported; the second must not become an unhandled rejection.
  stored.catch((err: unknown) => target.destroy(err as Error))
  try {
    await pipeline(body, meter, target)
    await stored
    return size
  } catch (err) {
    aborted.abort()
    await stored.catch(() => undefined)
    throw await causeOf(err, stored)
  } finally {
    clearTimeout(idle)
  }
}

/**
 * Returns the error for the client: its own fault as a problem, an error of the store unchanged, anything else as an
 * interrupted upload.
 */
async function causeOf(err: unknown, stored: Promise<void>): Promise<unknown> {
  if (err instanceof Problem) return err
  const failure = await stored.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  // `pipeline` rejects with the error of the store, if that is what ended it.
  if (failure instanceof Problem || failure instanceof StoreUnavailable || failure === err) return failure
  return new Problem('UPLOAD_CUT', { cause: err })
}

function tooLarge(limit: number): Problem {
  return new Problem('FILE_TOO_LARGE', { detail: `At most ${limit / 2 ** 20} MB.` })
}
