import { createLogger } from '@bigtech/service-kit'
import { Registry } from 'prom-client'
import { afterEach, expect, it, vi } from 'vitest'
import { NotificationMetrics } from '../../metrics.ts'
import type { DeliveriesRepository } from './deliveries.repository.ts'
import { DeliverySender } from './delivery-sender.ts'

const senders: DeliverySender[] = []
afterEach(() => Promise.all(senders.splice(0).map((sender) => sender.stop())))

/** Starts a sender; returns the times of its queries for mails and pushes, in milliseconds since the start. */
async function start(dueInMs: { readonly mail: number; readonly push: number }) {
  const startedAt = performance.now()
  const queries = { mail: [] as number[], push: [] as number[] }
  const claim: DeliveriesRepository['claim'] = async (channel) => {
    queries[channel].push(performance.now() - startedAt)
    return { leaseId: 'lease', deliveries: [], dueInMs: dueInMs[channel] }
  }
  const sender = new DeliverySender({
    deliveries: { claim } as unknown as DeliveriesRepository,
    channels: { mail: { attempt: () => [] }, push: { attempt: () => [] } },
    metrics: new NotificationMetrics(new Registry()),
    log: createLogger({ service: 'notification-service', level: 'silent' }),
    now: Date.now,
  })
  senders.push(sender)
  sender.start()
  return { sender, queries }
}

it('the sender sleeps until the next delivery of a channel is due', async () => {
  const { queries } = await start({ mail: Number.POSITIVE_INFINITY, push: 300 })
  await vi.waitFor(() => expect(queries.push.length).toBeGreaterThan(1), 5_000)
  expect(queries.push[1]! - queries.push[0]!).toBeGreaterThanOrEqual(299)
  expect(queries.mail).toHaveLength(1)
})

it('the sender is woken when the first of several planned deliveries is due', async () => {
  const { sender, queries } = await start({
    mail: Number.POSITIVE_INFINITY,
    push: Number.POSITIVE_INFINITY,
  })
  sender.wake(2_000)
  sender.wake(200)
  sender.wake(1_000)
  await vi.waitFor(() => expect(queries.push.length).toBeGreaterThan(1), 5_000)
  expect(queries.push[1]).toBeGreaterThanOrEqual(199)
  expect(queries.push[1]).toBeLessThan(1_000)
})
