import { streamPresenceChanged, streamsAlive } from '@bigtech/contracts'
import { expect, it } from 'vitest'
import { PresencePublisher } from './presence-publisher.ts'

function createPublisher() {
  const open = new Map<number, number>()
  const published: object[] = []
  const presence = new PresencePublisher({
    instanceId: 'i',
    openOf: (userId) => open.get(userId) ?? 0,
    userIds: () => [...open.keys()],
    publish: async ({ type }, payload) => void published.push({ type, ...payload }),
  })
  const set = (userIds: readonly number[], streams: number) => {
    for (const userId of userIds) {
      open.set(userId, streams)
      presence.changed(userId)
    }
    return presence.flush().then(() => published.splice(0))
  }
  return { set }
}

const changed = (user_id: number, open_streams: number) => ({
  type: streamPresenceChanged.type,
  user_id,
  instance_id: 'i',
  open_streams,
})

it('a user is published when the first stream opens and when the last one closes, not in between', async () => {
  const { set } = createPublisher()
  expect(await set([1], 1)).toEqual([changed(1, 1)])
  expect(await set([1], 2)).toEqual([])
  expect(await set([1], 1)).toEqual([])
  expect(await set([1], 0)).toEqual([changed(1, 0)])
  expect(await set([1], 0)).toEqual([])
  expect(await set([1], 1)).toEqual([changed(1, 1)])
})

it('users who connect at once are published together, and each one when the stream closes', async () => {
  const { set } = createPublisher()
  const users = Array.from({ length: 2_300 }, (_, index) => index + 1)
  const alive = (from: number, to: number) => ({
    type: streamsAlive.type,
    instance_id: 'i',
    user_ids: users.slice(from, to),
  })
  expect(await set(users, 1)).toEqual([alive(0, 1_000), alive(1_000, 2_000), alive(2_000, 2_300)])
  expect(await set(users.slice(0, 11), 0)).toEqual(users.slice(0, 11).map((userId) => changed(userId, 0)))
})
