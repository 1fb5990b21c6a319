import type { FastifyInstance } from 'fastify'
import { Counter, Gauge, type Registry } from 'prom-client'
import { sendProblem } from './error-handler.ts'
import { Problem } from './problem.ts'

/** Made once: under overload the stack of an error is a good part of what a refusal costs. */
const OVERLOADED = new Problem('OVERLOADED', { retryAfterSeconds: 1 })

/**
 * Refuses requests beyond `max` at once with 503 `OVERLOADED`, before their token, body and stores are looked at: requests
 * that would wait for each other make all of them slow, and clients that have given up leave work that nobody wants.
 * Streams do not count, and probes and what services ask each other periodically always pass.
 */
export function limitConcurrency(app: FastifyInstance, max: number, registry: Registry): void {
  let running = 0
  new Gauge({
    name: 'http_requests_running',
    help: 'Requests that have not been answered yet, without streams.',
    registers: [registry],
    collect() {
      this.set(running)
    },
  })
  const refused = new Counter({
    name: 'http_requests_refused_total',
    help: 'Requests refused because too many were running.',
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
    // Also for a client that disconnects before it is answered.
    reply.raw.once('close', () => {
      running--
    })
    done()
  })
}
