import {
  createKafka,
  createPublisher,
  type KafkaConnection,
  kafkaSecurityFromEnv,
  type Publisher,
} from '@bigtech/kafka'
import { CommandError, commandLogger } from '@bigtech/service-kit'
import { environmentOf } from './services.ts'

export interface KafkaSession {
  readonly kafka: KafkaConnection
  readonly publisher: Publisher
}

/** Connects to Kafka for the duration of one command. */
export async function withKafka<Result>(work: (session: KafkaSession) => Promise<Result>): Promise<Result> {
  const env = await environmentOf('user-service')
  if (!env.KAFKA_BROKERS) throw new CommandError('KAFKA_BROKERS is not set.', 2)
  const kafka = createKafka({
    clientId: 'bigtech-cli',
    brokers: env.KAFKA_BROKERS.split(','),
    topicPrefix: env.KAFKA_TOPIC_PREFIX ?? '',
    security: kafkaSecurityFromEnv(env),
    log: commandLogger('bigtech'),
  })
  const publisher = createPublisher({ kafka })
  try {
    return await work({ kafka, publisher })
  } finally {
    await publisher.stop()
    await kafka.close()
  }
}
