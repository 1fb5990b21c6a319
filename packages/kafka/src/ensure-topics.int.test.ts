import { testServers, uniqueName } from '@bigtech/testkit'
import { pino } from 'pino'
import { afterAll, expect, it } from 'vitest'
import { ensureTopics, topicSpecs } from './ensure-topics.ts'
import { createKafka } from './kafka.ts'

const kafka = createKafka({
  clientId: 'test',
  brokers: testServers().kafka.brokers,
  topicPrefix: `${uniqueName('t')}.`,
  log: pino({ level: 'silent' }),
})
afterAll(async () => {
  await kafka.deleteTopics(await kafka.listTopics())
  await kafka.close()
})

it('ensureTopics creates topics once and later changes only differing settings', async () => {
  const specs = topicSpecs(1).filter(({ name }) => name.startsWith('friend.events'))
  expect(await ensureTopics(kafka, specs, true)).toHaveLength(2)
  expect(await kafka.listTopics()).not.toContain('friend.events')
  expect(await ensureTopics(kafka, specs, false)).toHaveLength(2)
  expect(await ensureTopics(kafka, specs, false)).toEqual([])

  await kafka.setTopicConfig('friend.events', { 'retention.ms': '1000', 'cleanup.policy': 'delete' })
  // Brokers apply changed settings a moment after their response.
  const found = async () => (await ensureTopics(kafka, specs, false)).map(({ what }) => what)
  await expect
    .poll(found)
    .toEqual(['retention.ms is 1000, not 604800000', 'min.insync.replicas is unset, not 1'])
  expect(await ensureTopics(kafka, specs, true)).toEqual([])
  const settings = async () => (await kafka.topicConfigs(['friend.events'])).get('friend.events')
  await expect.poll(settings).toMatchObject({ 'retention.ms': '604800000', 'cleanup.policy': 'delete' })
})

it('ensureTopics reports a different number of partitions but never changes it', async () => {
  await kafka.createTopics([{ name: 'odd.events', partitions: 2, replicationFactor: 1 }])
  const found = await ensureTopics(kafka, [{ name: 'odd.events', partitions: 3, config: {} }], false)
  expect(found).toEqual([{ topic: 'odd.events', what: 'has 2 partitions, not 3', isRepairable: false }])
  expect(await kafka.partitionCount('odd.events')).toBe(2)
})
