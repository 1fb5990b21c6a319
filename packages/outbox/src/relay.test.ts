import { waitFor } from '@bigtech/testkit'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { createOutboxRelay, type OutboxStore } from './relay.ts'

it('the relay tells its store when it leads, and lets it record everything before it releases the lock', async () => {
  const steps: string[] = []
  const step = (name: string) => steps.push(name)
  const rows = [
    { id: 1, record: { topic: 'friend.events', key: '1', value: '{}', headers: { traceparent: 'none' } } },
  ]
  const store: OutboxStore<number> = {
    fetchUnsent: async () => rows.splice(0),
    markSent: async () => void step('sent'),
    park: async () => undefined,
    backlog: async () => ({ events: 0, oldestSeconds: 0 }),
    setLeading: (isLeading) => step(isLeading ? 'leading' : 'not leading'),
    settle: async () => void step('settled'),
  }
  const relay = createOutboxRelay({
    lock: {
      tryLock: async () => step('locked') > 0,
      isHeld: async () => true,
      unlock: async () => void step('unlocked'),
    },
    store,
    publisher: {
      publishEach: async (records) => records.map(() => undefined),
      publish: async () => undefined,
      publishEvent: async () => undefined,
      stop: async () => undefined,
    },
    log: pino({ level: 'silent' }),
    restMs: 60_000,
  })
  relay.wake()
  relay.start()
  await waitFor(() => steps.includes('unlocked'))
  expect(steps).toEqual(['locked', 'leading', 'sent', 'settled', 'not leading', 'unlocked'])
  await relay.stop()
})
