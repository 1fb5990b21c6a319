import type { FastifyInstance } from 'fastify'
import { Counter, Gauge, type Registry } from 'prom-client'
import { sendProblem } from './error-handler.ts'
import { Problem } from './problem.ts'

/** Created once: under overload the stack trace is a large part of the cost of a refusal. */
const OVERLOADED = new Problem('OVERLOADED', { retryAfterSeconds: 1 })

/**
 * Rejects requests beyond `max` with 503 `OVERLOADED`, before token, body and stores are processed: too many
 * concurrent requests slow each other down, and clients that gave up leave useless work. Streams are not
 * counted; probes and periodic requests between services always pass.
 */
export function limitConcurrency(app: FastifyInstance, max: number, registry: Registry): void {
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
  app.addHook('onRequest', (request, reply, done) => {
    const { contract } = request.routeOptions.config
    const isStream = contract?.success.contentType === 'text/event-stream'
    if (isStream || contract === undefined || contract.isPolled === true) return done()
    if (running >= max) {
      refused.inc()
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
