import { expect, it } from 'vitest'
import type { DeliveryState } from './delivery.ts'
import { FinishedDeliveries } from './finished-deliveries.ts'

it('deliveries that finish in the same turn are stored by one statement per claim, state and error', async () => {
  const statements: unknown[] = []
  const finished = new FinishedDeliveries({
    finish: async (leaseId, ids, state, error) => void statements.push([leaseId, [...ids], state, error]),
  })
  const add = (leaseId: string, id: string, state: DeliveryState, error: string | null = null) =>
    finished.add(leaseId, id, state, error)
  await Promise.all([
    add('a', '1', 'sent'),
    add('a', '2', 'no_subscription'),
    add('a', '3', 'sent'),
    add('b', '4', 'sent'),
    add('a', '5', 'sent', 'x'),
  ])
  await add('a', '6', 'sent')
  expect(statements).toEqual([
    ['a', ['1', '3'], 'sent', null],
    ['a', ['2'], 'no_subscription', null],
    ['b', ['4'], 'sent', null],
    ['a', ['5'], 'sent', 'x'],
    ['a', ['6'], 'sent', null],
  ])
})

it('every delivery of a statement that fails is reported as not stored', async () => {
  const finished = new FinishedDeliveries({ finish: () => Promise.reject(new Error('no store')) })
  const results = await Promise.allSettled(['1', '2'].map((id) => finished.add('a', id, 'sent', null)))
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})
