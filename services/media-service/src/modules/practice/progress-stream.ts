import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isOver, progressView, type Take } from './take.ts'

const POLL_MS = 500
const HEARTBEAT_MS = 15_000
/** Longer than all attempts together; clients may open another stream. */
const LONGEST_MS = 10 * 60_000

/**
 * Streams the changes of a take until it has ended. Every frame contains the complete state with its version
 * as `id`, so that a reconnecting client resumes with `Last-Event-ID`.
 * @param read reads the take again; undefined when it is gone
 */
export async function streamProgress(
  request: FastifyRequest,
  reply: FastifyReply,
  first: Take,
  { read, signal }: { read: () => Promise<Take | undefined>; signal: AbortSignal },
): Promise<void> {
  const { raw } = reply
  reply.hijack()
  request.raw.socket.setNoDelay(true)
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-request-id': request.id,
  })
  const gone = new AbortController()
  raw.once('close', () => gone.abort())
  const ended = AbortSignal.any([signal, gone.signal, AbortSignal.timeout(LONGEST_MS)])
  let shown = Number(request.headers['last-event-id'] ?? 0)
  let beatAt = Date.now() + HEARTBEAT_MS
  raw.write('retry: 1000\n\n')
  for (let take: Take | undefined = first; take && !ended.aborted; ) {
    if (take.version !== shown) {
      raw.write(`id: ${take.version}\nevent: progress\ndata: ${JSON.stringify(progressView(take))}\n\n`)
      shown = take.version
      beatAt = Date.now() + HEARTBEAT_MS
    } else if (Date.now() >= beatAt) {
      raw.write(': still here\n\n')
      beatAt = Date.now() + HEARTBEAT_MS
    }
    if (isOver(take)) break
    await sleep(POLL_MS, undefined, { signal: ended }).catch(() => undefined)
    // A database outage does not end the stream: the take is polled again.
    const seen: Take = take
    take = ended.aborted ? undefined : await read().catch(() => seen)
  }
  raw.end()
}
