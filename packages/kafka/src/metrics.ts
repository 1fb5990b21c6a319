import { Counter, Gauge, type Registry } from 'prom-client'

/** The metrics of this package, shared by all consumers of a process. */
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
      help: 'Events consumed, by outcome.',
      labelNames: ['topic', 'event_type', 'result'],
      registers,
    }),
    deadLetters: new Counter({
      name: 'kafka_dead_letters_total',
      help: 'Events of `topic` that were dead-lettered.',
      labelNames: ['topic'],
      registers,
    }),
  }
}
