import { testServers, uniqueName } from '@bigtech/testkit'
import { pino } from 'pino'
import { afterAll, expect, it } from 'vitest'
import { createKafka } from '../kafka.ts'

const topicPrefix = `${uniqueName('t')}.`
const connect = () =>
  createKafka({
    clientId: 'test',
    brokers: testServers().kafka.brokers,
    topicPrefix,
    log: pino({ level: 'silent' }),
  })
const kafka = connect()
afterAll(async () => {
  await kafka.deleteTopics(await kafka.listTopics())
  await kafka.close()
})

it('returns the offsets of many topics that are requested at once over one new connection', async () => {
  const names = Array.from({ length: 8 }, (_, index) => `many-${index}`)
  await kafka.createTopics(names.map((name) => ({ name, partitions: 2, replicationFactor: 1 })))
  const other = connect()
  try {
    const answers = await Promise.all(names.map((name) => other.offsets(name)))
    expect(answers.map((partitions) => partitions.length)).toEqual(names.map(() => 2))
  } finally {
    await other.close()
  }
})
