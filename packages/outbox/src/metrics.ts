import { Counter, Gauge, type Registry } from 'prom-client'

/** The metrics of a relay, shared by all relays of a process. */
export interface RelayMetrics {
  readonly backlog: Gauge
  readonly oldest: Gauge
  readonly published: Counter
  readonly parked: Counter
}

const perRegistry = new WeakMap<Registry, RelayMetrics>()

/** Returns the metrics registered in `registry`, created on first use. */
export function relayMetrics(registry: Registry): RelayMetrics {
  let metrics = perRegistry.get(registry)
  if (!metrics) {
    metrics = createMetrics([registry])
    perRegistry.set(registry, metrics)
  }
  return metrics
}

function createMetrics(registers: Registry[]): RelayMetrics {
  return {
    backlog: new Gauge({
      name: 'outbox_backlog_events',
      help: 'Stored events not yet published; 0 on processes without the relay lock.',
      registers,
    }),
    oldest: new Gauge({
      name: 'outbox_oldest_seconds',
      help: 'Age of the oldest event not yet published.',
      registers,
    }),
    published: new Counter({
      name: 'outbox_published_total',
      help: 'Events published by the relay and acknowledged by Kafka.',
      registers,
    }),
    parked: new Counter({
      name: 'outbox_parked_total',
      help: 'Events parked by the relay because Kafka rejects them.',
      registers,
    }),
  }
}
