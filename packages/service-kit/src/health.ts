import { withTimeout } from '@bigtech/stores'
import type { FastifyInstance } from 'fastify'
import { Gauge, type Registry } from 'prom-client'
import type { Lifecycle } from './lifecycle.ts'

export interface ReadinessCheck {
  /** `mysql`, `mongodb`, `redis`, `kafka`, or another dependency. */
  readonly name: string
  /** Rejects when the dependency is unavailable. Limited to one second. */
  readonly ping: () => Promise<unknown>
  /**
   * An optional dependency is reported and measured but does not affect readiness, because the service has a
   * fallback.
   */
  readonly optional?: boolean
}

const PING_TIMEOUT_MS = 1_000

/** Checks the dependencies: for /ready, and for the metric `store_up` on every scrape. */
export class Readiness {
  readonly #checks: ReadinessCheck[] = []
  readonly #up: Gauge<'store'>

  constructor(registry: Registry) {
    this.#up = new Gauge({
      name: 'store_up',
      help: '1 when the store responds, 0 otherwise.',
      labelNames: ['store'],
      registers: [registry],
      collect: async () => void (await this.check()),
    })
  }

  add(check: ReadinessCheck): void {
    this.#checks.push(check)
  }

  /** Checks every dependency once. */
  async check(): Promise<{ ready: boolean; checks: Record<string, 'up' | 'down'> }> {
    const states = await Promise.all(
      this.#checks.map(async ({ name, ping, optional }) => {
        const up = await withTimeout(ping(), PING_TIMEOUT_MS, name).then(
          () => true,
          () => false,
        )
        this.#up.set({ store: name }, up ? 1 : 0)
        return { name, up, needed: !optional }
      }),
    )
    return {
      ready: states.every(({ up, needed }) => up || !needed),
      checks: Object.fromEntries(states.map(({ name, up }) => [name, up ? 'up' : 'down'])),
    }
  }
}

/** Registers the health endpoints. Liveness checks no store, because a restart cannot repair one. */
export function installHealth(
  app: FastifyInstance,
  options: { title: string; readiness: Readiness; lifecycle: Lifecycle; metrics: Registry },
): void {
  const { title, readiness, lifecycle, metrics } = options
  app.get('/health', { schema: { hide: true } }, () => ({ status: 'healthy', service: title }))
  app.get('/live', { schema: { hide: true } }, () => ({ status: 'live' }))
  app.get('/ready', { schema: { hide: true } }, async (_request, reply) => {
    if (lifecycle.isStopping) return reply.code(503).send({ status: 'stopping', checks: {} })
    const { ready, checks } = await readiness.check()
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', checks })
  })
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.metrics()),
  )
}
