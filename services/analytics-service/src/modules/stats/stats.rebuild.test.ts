import type { KafkaConnection } from '@bigtech/kafka'
import { createLogger } from '@bigtech/service-kit'
import { expect, it } from 'vitest'
import { rebuildStats } from './stats.rebuild.ts'
import type { StatsRepository } from './stats.repository.ts'

it('a rebuild without read access to the topics fails instead of waiting forever', async () => {
  const offsets = async () => [{ partition: 0, low: 0, high: 5 }]
  const admin = { offsets, offsetsAt: async () => [{ partition: 0, offset: 0 }] }
  const createConsumer = () => ({
    start: () => Promise.reject(new Error('not authorised')),
    close: async () => {},
  })
  const kafka = { topicPrefix: '', offsets, driver: { admin, createConsumer } } as unknown as KafkaConnection
  const repository = { clear: async () => {} } as unknown as StatsRepository
  const log = createLogger({ service: 'test', level: 'silent' })
  const rebuilding = rebuildStats({ kafka, repository, log, now: Date.now }, null)
  await expect(rebuilding).rejects.toThrow('the rebuild is not complete')
}, 10_000)
