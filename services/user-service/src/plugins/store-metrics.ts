import { Histogram, type Registry } from 'prom-client'

export type StoreTimer = (operation: string) => () => void

/** Times the operations of a store; `operation` is a name from the code, never anything a caller sent. */
export function storeTimer(registry: Registry, store: string): StoreTimer {
  const name = 'store_request_duration_seconds'
  const histogram =
    (registry.getSingleMetric(name) as Histogram<'store' | 'operation'> | undefined) ??
    new Histogram({
      name,
      help: 'Time a store took to answer.',
      labelNames: ['store', 'operation'] as const,
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers: [registry],
    })
  return (operation) => histogram.startTimer({ store, operation })
}
