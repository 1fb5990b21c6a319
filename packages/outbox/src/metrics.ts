import { Counter, Gauge, type Registry } from 'prom-client'

/** The series of a relay. Several relays of one process share them. */
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
      help: 'Stored events not yet on Kafka; 0 on processes that do not hold the relay lock.',
      registers,
    }),
    oldest: new Gauge({
      name: 'outbox_oldest_seconds',
      help: 'Age of the oldest stored event not yet on Kafka.',
      registers,
    }),
    published: new Counter({
      name: 'outbox_published_total',
      help: 'Events the relay published and Kafka acknowledged.',
      registers,
    }),
    parked: new Counter({
      name: 'outbox_parked_total',
      help: 'Events the relay set aside because Kafka refuses them.',
      registers,
    }),
  }
}
