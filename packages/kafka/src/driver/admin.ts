import kafkajs, { type Admin } from 'kafkajs'
import { KafkaUnavailable } from '../errors.ts'
import { sleep, within } from '../timing.ts'
import { listAcls, toEntry } from './acl-entries.ts'
import type { AdminPort } from './port.ts'
import { type NewClient, retryOptions } from './settings.ts'

/** The config source of a setting made on the topic itself. */
const TOPIC_CONFIG = 1
const ADMIN_TIMEOUT_MS = 5_000
/** The client joins the group and waits for its first fetch before it commits. */
const SET_COMMITTED_TIMEOUT_MS = 30_000
const CREATE_TIMEOUT_MS = 15_000
const RETRY_DELAY_MS = 50
/** kafkajs asks its cached leader and gives up when another broker leads: a new connection has new metadata. */
const STALE_METADATA = new Set(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE'])

/** Creates a lazily connected admin client; drops a failed connection, so that the next call opens a new one. */
export function createAdmin(newClient: NewClient): AdminPort {
  let connection: Promise<Admin> | undefined

  async function open(): Promise<Admin> {
    const admin = newClient(retryOptions(2)).admin()
    await admin.connect()
    return admin
  }

  function drop(): Promise<unknown> {
    const dropped = connection
    connection = undefined
    return dropped ? dropped.then((admin) => admin.disconnect()).catch(() => {}) : Promise.resolve()
  }

  async function ask<Result>(
    question: (admin: Admin) => Promise<Result>,
    timeoutMs = ADMIN_TIMEOUT_MS,
  ): Promise<Result> {
    const deadline = Date.now() + ADMIN_TIMEOUT_MS
    for (;;) {
      connection ??= open()
      try {
        return await within(
          connection.then(question),
          timeoutMs,
          () => new KafkaUnavailable('Kafka does not respond'),
        )
      } catch (error) {
        void drop()
        const { type } = error as { type?: string }
        if (type === undefined || !STALE_METADATA.has(type) || Date.now() > deadline) throw error
        await sleep(RETRY_DELAY_MS)
      }
    }
  }

  let lastOffsets: Promise<unknown> = Promise.resolve()

  /**
   * Asks for offsets, one question at a time: a concurrent one would reuse the metadata request in flight, which does
   * not contain its topic, and fail.
   */
  function askOffsets<Answer>(question: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    const answer = lastOffsets.then(() => ask(question))
    lastOffsets = answer.catch(() => undefined)
    return answer
  }

  async function waitUntilKnown(names: string[]): Promise<void> {
    const deadline = Date.now() + CREATE_TIMEOUT_MS
    for (;;) {
      try {
        const { topics } = await ask((admin) => admin.fetchTopicMetadata({ topics: names }))
        if (topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0))) return
      } catch (error) {
        if (Date.now() > deadline) throw error
      }
      if (Date.now() > deadline) throw new KafkaUnavailable(`topics have no leader: ${names.join(', ')}`)
      await sleep(50)
    }
  }

  return {
    ping: async () => {
      await ask((admin) => admin.describeCluster()).catch((error: Error) => {
        throw new KafkaUnavailable(`Kafka does not respond: ${error.message}`, { cause: error })
      })
    },
    brokerCount: async () => (await ask((admin) => admin.describeCluster())).brokers.length,
    partitionCount: async (topic) => {
      // The client's error for an unknown topic carries no information.
      const { topics } = await ask((admin) => admin.fetchTopicMetadata({ topics: [topic] })).catch(
        (cause) => {
          throw new KafkaUnavailable(`Kafka is unavailable or has no topic ${topic}`, { cause })
        },
      )
      return topics[0]?.partitions.length ?? 0
    },
    offsets: async (topic) => {
      const offsets = await askOffsets((admin) => admin.fetchTopicOffsets(topic))
      return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
    },
    offsetsAt: async (topic, timestamp) => {
      const offsets = await askOffsets((admin) => admin.fetchTopicOffsetsByTimestamp(topic, timestamp))
      return offsets.map(({ partition, offset }) => ({ partition, offset: Number(offset) }))
    },
    committed: async (groupId, topics) => {
      const offsets = await ask((admin) => admin.fetchOffsets({ groupId, topics: [...topics] }))
      return offsets
        .flatMap(({ topic, partitions }) =>
          partitions.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) })),
        )
        .filter(({ offset }) => offset >= 0)
    },
    listGroups: async () => {
      const { groups } = await ask((admin) => admin.listGroups())
      return groups.filter(({ protocolType }) => protocolType === 'consumer').map(({ groupId }) => groupId)
    },
    setCommitted: async (groupId, topic, positions) => {
      const partitions = positions.map(({ partition, offset }) => ({ partition, offset: String(offset) }))
      await ask((admin) => admin.setOffsets({ groupId, topic, partitions }), SET_COMMITTED_TIMEOUT_MS)
    },
    createTopics: async (topics) => {
      await ask((admin) =>
        admin.createTopics({
          // Waiting fails immediately when the brokers have not propagated the topic yet.
          waitForLeaders: false,
          topics: topics.map(({ name, partitions, replicationFactor, config }) => ({
            topic: name,
            numPartitions: partitions,
            ...(replicationFactor === undefined ? {} : { replicationFactor }),
            configEntries: Object.entries(config ?? {}).map(([entry, value]) => ({ name: entry, value })),
          })),
        }),
      )
      await waitUntilKnown(topics.map(({ name }) => name))
    },
    deleteTopics: (topics) => ask((admin) => admin.deleteTopics({ topics: [...topics] })),
    listTopics: () => ask((admin) => admin.listTopics()),
    topicConfigs: async (topics) => {
      const resources = topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name }))
      const response = await ask((admin) => admin.describeConfigs({ resources, includeSynonyms: false }))
      return new Map(
        response.resources.map(({ resourceName, configEntries }) => [
          resourceName,
          Object.fromEntries(
            configEntries
              .filter(({ configSource }) => Number(configSource) === TOPIC_CONFIG)
              .map(({ configName, configValue }) => [configName, configValue]),
          ),
        ]),
      )
    },
    setTopicConfig: async (topic, config) => {
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
      const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }]
      await ask((admin) => admin.alterConfigs({ validateOnly: false, resources }))
    },
    listAcls: () => ask(listAcls),
    createAcls: async (rules) => {
      if (rules.length > 0) await ask((admin) => admin.createAcls({ acl: rules.map(toEntry) }))
    },
    deleteAcls: async (rules) => {
      if (rules.length > 0) await ask((admin) => admin.deleteAcls({ filters: rules.map(toEntry) }))
    },
    close: async () => {
      await drop()
    },
  }
}
