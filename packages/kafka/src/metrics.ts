import { Counter, Gauge, type Registry } from 'prom-client'

/** The series of this package. Several consumers of one process share them. */
export interface KafkaMetrics {
  readonly lag: Gauge<'topic' | 'partition' | 'group'>
  readonly events: Counter<'topic' | 'event_type' | 'result'>
  readonly deadLetters: Counter<'topic'>
}

const perRegistry = new WeakMap<Registry, KafkaMetrics>()

/** Returns the metrics registered in `registry`, created on first use. */
export function kafkaMetrics(registry: Registry): KafkaMetrics {
  let metrics = perRegistry.get(registry)
  if (!metrics) {
    metrics = createMetrics([registry])
    perRegistry.set(registry, metrics)
  }
  return metrics
}

function createMetrics(registers: Registry[]): KafkaMetrics {
  return {
    lag: new Gauge({
      name: 'kafka_consumer_lag_records',
      help: 'Records of a partition that the group has not committed yet.',
      labelNames: ['topic', 'partition', 'group'],
      registers,
    }),
    events: new Counter({
      name: 'kafka_consumer_events_total',
      help: 'Events consumed, by what became of them.',
      labelNames: ['topic', 'event_type', 'result'],
      registers,
    }),
    deadLetters: new Counter({
      name: 'kafka_dead_letters_total',
      help: 'Events given up on and written to the dead letter topic of `topic`.',
      labelNames: ['topic'],
      registers,
    }),
  }
}
