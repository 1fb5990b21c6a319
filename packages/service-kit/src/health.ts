import { withTimeout } from '@bigtech/stores'
import type { FastifyInstance } from 'fastify'
import { Gauge, type Registry } from 'prom-client'
import type { Lifecycle } from './lifecycle.ts'

export interface ReadinessCheck {
  /** `mysql`, `mongodb`, `redis`, `kafka`, or what else must work before traffic is taken. */
  readonly name: string
  /** Rejects when it does not work. Bounded by one second. */
  readonly ping: () => Promise<unknown>
  /** An optional one is shown and measured, but its outage has an answer that needs no other instance. */
  readonly optional?: boolean
}

const PING_TIMEOUT_MS = 1_000

/** Asks what the service depends on: for /ready, and for the metric `store_up` whenever it is scraped. */
export class Readiness {
  readonly #checks: ReadinessCheck[] = []
  readonly #up: Gauge<'store'>

  constructor(registry: Registry) {
    this.#up = new Gauge({
      name: 'store_up',
      help: '1 when the store answers, 0 when it does not.',
      labelNames: ['store'],
      registers: [registry],
      collect: async () => void (await this.check()),
    })
  }

  add(check: ReadinessCheck): void {
    this.#checks.push(check)
  }

  /** Asks every dependency once. */
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

/** What load balancers, probes and people ask. Liveness looks at no store: a restart heals none. */
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
