import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { friendRequestAccepted, topics, userDeleted } from '@bigtech/contracts'
import {
  createConsumerRunner,
  createKafka,
  createPublisher,
  ensureAccess,
  ensureTopics,
  eventRecord,
  groupLags,
  type KafkaConnection,
  type KafkaRecord,
  type KafkaSecurity,
  kafkaSecurity,
  on,
  readTopic,
  topicSpecs,
} from '@bigtech/kafka'
import { createLogger } from '@bigtech/service-kit'
import { makeCertificate, waitFor } from '@bigtech/testkit'

import { afterAll, beforeAll, expect, it } from 'vitest'
import { administrator, type SecuredKafka, startSecuredKafka } from './secured-kafka.ts'

const log = createLogger({ service: 'kafka-access-test', level: 'silent' })
const accounts = [...new Set(Object.values(topics).map(({ owner }) => owner)), 'observer']
const connections: KafkaConnection[] = []
let server: SecuredKafka

function connectAs(username: string, password = username): KafkaConnection {
  const sasl = { mechanism: 'plain', username, password } as const
  const kafka = createKafka({
    clientId: username,
    brokers: [server.broker],
    security: { tls: true, ca: server.ca, sasl },
    log,
  })
  connections.push(kafka)
  return kafka
}

async function pingWith(security: KafkaSecurity): Promise<void> {
  const kafka = createKafka({ clientId: 'ping', brokers: [server.broker], security, log })
  connections.push(kafka)
  await kafka.ping()
}

async function publishAs(account: string, record: KafkaRecord): Promise<void> {
  const publisher = createPublisher({ kafka: connectAs(account) })
  try {
    await publisher.publish([record])
  } finally {
    await publisher.stop()
  }
}

const deletion = () => {
  const payload = { user_id: 7, deletion_id: crypto.randomUUID(), message_policy: 'remove' } as const
  const event = userDeleted.create(payload, { correlationId: 'forged' })
  return eventRecord(userDeleted, event, 'kafka-access-test')
}

beforeAll(async () => {
  server = await startSecuredKafka(accounts)
  const kafka = connectAs(administrator)
  await waitFor(
    async () =>
      kafka.ping().then(
        () => true,
        () => false,
      ),
    { timeoutMs: 30_000 },
  )
  await ensureTopics(kafka, topicSpecs(1), false)
  await ensureAccess(kafka, false)
}, 120_000)
afterAll(async () => {
  await Promise.all(connections.map((kafka) => kafka.close()))
  await server?.stop()
})

it('a service can write only the topics it owns', { timeout: 60_000 }, async () => {
  await publishAs('user-service', deletion())
  await expect(publishAs('friend-service', deletion())).rejects.toThrow()
  const reader = connectAs('chat-service')
  // A newly started broker loads its coordinator first.
  const stored = await waitFor(() => readTopic(reader, 'user.events').catch(() => undefined))
  expect(stored).toHaveLength(1)
})

it('the broker rejects a client without an account or with a wrong password', {
  timeout: 60_000,
}, async () => {
  await expect(pingWith({ tls: true, ca: server.ca })).rejects.toThrow()
  await expect(connectAs('user-service', 'wrong').ping()).rejects.toThrow()
})

it('a client connects only over TLS with the authority of KAFKA_CA_FILE', {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bigtech-kafka-ca-'))
  const account = {
    KAFKA_SASL_MECHANISM: 'plain',
    KAFKA_USERNAME: 'user-service',
    KAFKA_PASSWORD: 'user-service',
  } as const
  const own = join(folder, 'own.pem')
  writeFileSync(own, server.ca)
  const foreign = makeCertificate(folder).file
  try {
    await pingWith(kafkaSecurity({ ...account, KAFKA_TLS: true, KAFKA_CA_FILE: own }))
    const refused = [
      kafkaSecurity({ ...account, KAFKA_TLS: true, KAFKA_CA_FILE: foreign }),
      kafkaSecurity({ ...account, KAFKA_TLS: true }),
      kafkaSecurity(account),
    ]
    for (const security of refused) await expect(pingWith(security)).rejects.toThrow()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it("a consumer can use its service's groups and dead-letter events of any owner", {
  timeout: 60_000,
}, async () => {
  const seen: string[] = []
  const kafka = connectAs('notification-service')
  const publisher = createPublisher({ kafka })
  const runner = createConsumerRunner({
    kafka,
    groupId: 'notification-service.events',
    handlers: [
      on(friendRequestAccepted, async (event) => {
        seen.push(event.event_id)
        throw new TypeError('a bug')
      }),
    ],
    classify: () => 'permanent',
    publisher,
    log,
    onFatal: (error) => expect.fail(error.message),
  })
  runner.start()
  const payload = { request_id: 1, from_user_id: 1, to_user_id: 2 }
  const event = friendRequestAccepted.create(payload, { correlationId: 'test' })
  await publishAs('friend-service', eventRecord(friendRequestAccepted, event, 'test'))
  await waitFor(() => seen.length === 1)
  await waitFor(async () => (await readTopic(kafka, 'friend.events.dlt')).length === 1)
  await runner.stop()
  await publisher.stop()
})

it("the broker delivers no event to a consumer in another service's group", { timeout: 60_000 }, async () => {
  const seen: string[] = []
  const runners = ['analytics-service', 'chat-service'].map((account) => {
    const kafka = connectAs(account)
    return createConsumerRunner({
      kafka,
      groupId: 'chat-service.contacts',
      handlers: [on(userDeleted, async () => void seen.push(account))],
      publisher: createPublisher({ kafka }),
      log,
      onFatal: () => {},
    })
  })
  for (const runner of runners) runner.start()
  for (let round = 0; round < 5; round++) await publishAs('user-service', deletion())
  await waitFor(() => seen.length >= 5, { timeoutMs: 30_000 })
  expect(new Set(seen)).toEqual(new Set(['chat-service']))
  for (const runner of runners) await runner.stop()
})

it('the observer can see every topic and group but change nothing', { timeout: 60_000 }, async () => {
  const kafka = connectAs('observer')
  const consumer = connectAs('chat-service')
  await consumer.driver.admin.setCommitted('chat-service.observed', 'user.events', [
    { partition: 0, offset: 0 },
  ])
  const lags = await waitFor(async () => {
    const found = await groupLags(kafka)
    return found.find(({ group }) => group === 'chat-service.observed')
  })
  expect(lags).toMatchObject({ topic: 'user.events' })
  await expect(publishAs('observer', deletion())).rejects.toThrow()
})

it('bigtech topics removes permissions beyond the contracts, and then finds no difference', {
  timeout: 60_000,
}, async () => {
  const kafka = connectAs(administrator)
  const surplus = {
    account: 'friend-service',
    resource: 'topic',
    name: 'user.events',
    isPrefix: false,
    operation: 'write',
  } as const
  await kafka.driver.admin.createAcls([surplus])
  await waitFor(async () => (await ensureAccess(kafka, true)).length === 1)
  expect(await ensureAccess(kafka, true)).toEqual([{ rule: surplus, what: 'is too much' }])
  await ensureAccess(kafka, false)
  await waitFor(async () => (await ensureAccess(kafka, true)).length === 0)
})
