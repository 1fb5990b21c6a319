import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { Counter, Gauge, type Registry } from 'prom-client'
import { sendProblem } from './error-handler.ts'
import { LoopDelay } from './loop-delay.ts'
import { Problem } from './problem.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Rejected because the process is overloaded; logged in sum, not one by one. */
    isOverload: boolean
  }
}

/** Created once: under overload the stack trace is a large part of the cost of a refusal. */
const OVERLOADED = new Problem('OVERLOADED', { retryAfterSeconds: 1 })
/** A request that waited this long in its socket is rejected while the process is busy. */
const LATE_MS = 500
/** The share of `max` from which on a process counts as busy: at rest, a late request is still served. */
const BUSY_SHARE = 1 / 4
const REPORT_MS = 1_000

/**
 * Rejects requests beyond `max` with 503 `OVERLOADED`, before token, body and stores are processed: too many
 * concurrent requests slow each other down, and clients that gave up leave useless work. A process whose event loop
 * is behind rejects from a quarter of `max` on. Streams are not counted; probes and periodic requests between services always pass.
 */
export function limitConcurrency(app: FastifyInstance, max: number, registry: Registry, log: Logger): void {
  let running = 0
  new Gauge({
    name: 'http_requests_running',
    help: 'Requests in flight, without streams.',
    registers: [registry],
    collect() {
      this.set(running)
    },
  })
  const refused = new Counter({
    name: 'http_requests_refused_total',
    help: 'Requests rejected because of too many in flight.',
    registers: [registry],
  })
  const report = createReport(log)
  const loop = new LoopDelay()
  const busyFrom = Math.max(1, Math.floor(max * BUSY_SHARE))
  app.decorateRequest('isOverload', false)
  app.addHook('onRequest', (request, reply, done) => {
    const { contract } = request.routeOptions.config
    const isStream = contract?.success.contentType === 'text/event-stream'
    if (isStream || contract === undefined || contract.isPolled === true) return done()
    const waitedMs = loop.waitedMs()
    if (running >= max || (running >= busyFrom && waitedMs > LATE_MS)) {
      refused.inc()
      report(running)
      request.isOverload = true
      sendProblem(request, reply, OVERLOADED)
      return
    }
    running++
    // `close` also fires when the client disconnects before the response.
    reply.raw.once('close', () => {
      running--
    })
    done()
  })
}

/** Logs refusals once a second at most: a line for each would cost as much as the refusal. */
function createReport(log: Logger): (running: number) => void {
  let count = 0
  return (running) => {
    if (count++ > 0) return
    setTimeout(() => {
      log.warn({ refused: count, running }, 'overloaded, requests rejected')
      count = 0
    }, REPORT_MS).unref()
  }
}
