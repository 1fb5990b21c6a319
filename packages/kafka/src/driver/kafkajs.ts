import { Kafka, logLevel, type SASLOptions } from 'kafkajs'
import { createAdmin } from './admin.ts'
import { clientLog } from './client-log.ts'
import { createConsumer } from './consumer.ts'
import { patchFetch } from './fetch-patch.ts'
import type { DriverOptions, KafkaDriver } from './port.ts'
import { openProducer } from './producer.ts'
import { patchRequestQueue } from './request-queue-patch.ts'
import type { NewClient } from './settings.ts'

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1'
patchRequestQueue()
patchFetch()

/**
 * Creates the kafkajs driver. Every producer and consumer gets its own client, because consumers of one
 * client share their table of committed offsets and would overwrite each other's.
 */
export function createKafkajsDriver(options: DriverOptions): KafkaDriver {
  const logCreator = clientLog(options.log)
  const newClient: NewClient = (retry) =>
    new Kafka({
      clientId: options.clientId,
      brokers: [...options.brokers],
      ssl: options.security.ca ? { ca: [options.security.ca] } : options.security.tls,
      ...(options.security.sasl ? { sasl: options.security.sasl as SASLOptions } : {}),
      connectionTimeout: 2_000,
      requestTimeout: 10_000,
      retry,
      logLevel: logLevel.INFO,
      logCreator,
    })
  return {
    openProducer: (onPartitionCount) => openProducer(newClient, onPartitionCount),
    createConsumer: (consumer) => createConsumer(newClient, consumer),
    admin: createAdmin(newClient),
  }
}
