import type { Operation, StoredSession } from '@bigtech/client'
import { expect, it } from 'vitest'
import { CallAhead } from './call-ahead.ts'

type List = Operation<{ query: { limit: number } }, number>
const list: List = { method: 'GET', path: '/rooms' }
const input = { query: { limit: 100 } }

/** A session whose responses are numbered in the order of the calls. */
function numberedSession() {
  let calls = 0
  const call = () => Promise.resolve(++calls)
  return { current: { userId: 1 } as StoredSession, call: call as never }
}

it('returns the response of an equal call started ahead once, and calls again afterwards', async () => {
  const ahead = new CallAhead(numberedSession())
  ahead.start(list, input)
  expect(await ahead.call(list, { query: { limit: 20 } })).toBe(2)
  expect(await ahead.call(list, input)).toBe(1)
  expect(await ahead.call(list, input)).toBe(3)
})

it('calls again after the responses of calls started ahead were forgotten', async () => {
  const ahead = new CallAhead(numberedSession())
  ahead.start(list, input)
  ahead.forget()
  expect(await ahead.call(list, input)).toBe(2)
})

it('does not return a response that was started for another user', async () => {
  const session = numberedSession()
  const ahead = new CallAhead(session)
  ahead.start(list, input)
  session.current = { ...session.current, userId: 2 }
  expect(await ahead.call(list, input)).toBe(2)
})

it('rejects the first equal call with the failure of the call started ahead', async () => {
  const ahead = new CallAhead({ current: undefined, call: () => Promise.reject(new Error('refused')) })
  ahead.start(list, input)
  await expect(ahead.call(list, input)).rejects.toThrow('refused')
})
