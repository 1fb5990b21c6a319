import { Gauge, type Registry } from 'prom-client'
import type { Totals } from './modules/stats/stats.ts'

/** Exposes the figures of the read API as metrics. */
export class StatsMetrics {
  readonly #totals: Gauge<'figure' | 'window'>
  readonly #acceptance: Gauge<'window'>

  constructor(registry: Registry) {
    this.#totals = new Gauge({
      name: 'analytics_events_count',
      help: 'Totals and active_users of the days in the window (including today, UTC).',
      labelNames: ['figure', 'window'],
      registers: [registry],
    })
    this.#acceptance = new Gauge({
      name: 'analytics_friend_acceptance_ratio',
      help: 'Accepted friend requests per sent request in the window.',
      labelNames: ['window'],
      registers: [registry],
    })
  }

  set(window: '1d' | '7d' | '30d', totals: Totals): void {
    const { friend_acceptance_rate: rate, ...figures } = totals
    for (const [figure, value] of Object.entries(figures)) this.#totals.set({ figure, window }, value)
    if (rate === null) this.#acceptance.remove({ window })
    else this.#acceptance.set({ window }, rate)
  }
}
