import { Histogram, type Registry } from 'prom-client'

export type Store = 'mysql' | 'mongodb' | 'redis' | 's3' | 'opensearch'

/** Measures store requests: `store_request_duration_seconds{store,operation}`. */
export class StoreMetrics {
  readonly #duration: Histogram<'store' | 'operation'>

  /** Several instances share the metric of a registry. */
  constructor(registry: Registry) {
    const known = registry.getSingleMetric('store_request_duration_seconds') as
      | Histogram<'store' | 'operation'>
      | undefined
    this.#duration =
      known ??
      new Histogram({
        name: 'store_request_duration_seconds',
        help: 'Duration of a store request, by operation.',
        labelNames: ['store', 'operation'],
        buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2],
        registers: [registry],
      })
  }

  /** @param operation a constant name, because it becomes a label. */
  async measure<Result>(store: Store, operation: string, work: () => Promise<Result>): Promise<Result> {
    const end = this.#duration.startTimer({ store, operation })
    try {
      return await work()
    } finally {
      end()
    }
  }
}
