import {
  friendRemoved,
  friendRequestCancelled,
  friendRequestRejected,
  friendRequestSent,
  userDeleted,
  userUpdated,
  uuidv7,
} from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestRooms, type TestRooms } from '../../../testing/rooms.ts'
import { openTestStream, type TestStream } from '../../../testing/stream.ts'

let rooms: TestRooms

beforeAll(async () => {
  rooms = await startTestRooms()
}, 60_000)
afterAll(() => rooms?.close())

const open = async (userId: number, process = 0, lastEventId?: string): Promise<TestStream> => {
  const stream = await openTestStream(rooms.addresses[process]!, {
    token: await rooms.chat.token(userId),
    ...(lastEventId ? { lastEventId } : {}),
  })
  await waitFor(() => stream.frames.length > 0)
  return stream
}

const versionsOf = async (userId: number) =>
  (await rooms.chat.mysql.query('SELECT * FROM list_versions WHERE user_id = ?', [userId])).map(
    ({ friends, rooms }) => `${friends}.${rooms}`,
  )[0]

interface Scene {
  readonly me: number
  readonly friend: number
  readonly roomId: number
}

const profile = (user_id: number) => ({
  user_id,
  username: 'renamed',
  display_name: 'New Name',
  status_message: null,
  profile_image_url: null,
  profile_version: 9,
})

const changes: [string, 'friends' | 'rooms', (scene: Scene) => Promise<unknown>][] = [
  [
    'muting a room on another device',
    'rooms',
    ({ me, roomId }) => rooms.as(me, 'PUT', `/rooms/${roomId}/settings`, { muted: true }),
  ],
  [
    'a new role',
    'rooms',
    ({ me, friend, roomId }) =>
      rooms.as(friend, 'PUT', `/rooms/${roomId}/members/${me}/role`, { role: 'admin' }),
  ],
  [
    'a renamed room',
    'rooms',
    ({ friend, roomId }) => rooms.as(friend, 'PATCH', `/rooms/${roomId}`, { name: 'new' }),
  ],
  ['a friend’s new name', 'friends', ({ friend }) => rooms.chat.publish(userUpdated, profile(friend))],
  ['a friend’s new name', 'rooms', ({ friend }) => rooms.chat.publish(userUpdated, profile(friend))],
  [
    'a friend request',
    'friends',
    ({ me }) =>
      rooms.chat.publish(friendRequestSent, { request_id: 1, from_user_id: 900_001, to_user_id: me }),
  ],
  [
    'a cancelled request',
    'friends',
    ({ me }) =>
      rooms.chat.publish(friendRequestCancelled, {
        request_id: 1,
        from_user_id: 900_001,
        to_user_id: me,
        reason: 'cancelled',
      }),
  ],
  [
    'a rejection on another device',
    'friends',
    ({ me }) =>
      rooms.chat.publish(friendRequestRejected, { request_id: 1, from_user_id: 900_001, to_user_id: me }),
  ],
  [
    'a friendship ended by the friend',
    'friends',
    ({ me, friend }) => rooms.chat.publish(friendRemoved, { user_id: friend, friend_id: me }),
  ],
  [
    'the deletion of a friend’s account',
    'friends',
    ({ friend }) =>
      rooms.chat.publish(userDeleted, { user_id: friend, deletion_id: uuidv7(), message_policy: 'keep' }),
  ],
]

async function scene(): Promise<Scene> {
  const [me, friend] = await rooms.chat.people(2)
  const roomId = await rooms.room(friend, me)
  await rooms.chat.name(friend, `friend${friend}`, 'Friend')
  return { me, friend, roomId }
}

describe.concurrent('a resuming client', () => {
  it.each(changes)(
    'a resuming client is notified once of %s that it missed (%s)',
    async (_what, list, change) => {
      const here = await scene()
      const first = await open(here.me)
      first.kill()
      await waitFor(() => first.ended)
      const versionOf = async () => (await versionsOf(here.me))?.split('.')[list === 'friends' ? 0 : 1] ?? '0'
      const before = await versionOf()
      await change(here)
      // One change may increment both versions in sequence.
      await waitFor(async () => (await versionOf()) !== before)
      const second = await open(here.me, 1, first.lastEventId)
      expect(second.frames[0]!.event).toBe('ready')
      // With the first frame, long before the periodic comparison.
      await second.waitFor('lists_changed', ({ lists }) => lists.includes(list), 3_000)
      second.kill()
      const third = await open(here.me, 0, second.lastEventId)
      await rooms.send(here.me, here.roomId, 'last')
      await third.waitFor('message')
      expect(third.frames.map(({ event }) => event)).not.toContain('lists_changed')
      third.kill()
    },
  )

  it('a resuming client is notified again when the connection broke before the frame arrived', async () => {
    const here = await scene()
    const first = await open(here.me)
    first.kill()
    await rooms.as(here.me, 'PUT', `/rooms/${here.roomId}/settings`, { pinned: true })
    const second = await open(here.me, 1, first.lastEventId)
    // The position before the notification, as if everything after `ready` had been lost.
    const lost = second.frames[0]!.id!
    await second.waitFor('lists_changed')
    second.kill()
    const third = await open(here.me, 0, lost)
    await third.waitFor('lists_changed')
    third.kill()
  })
})

it.concurrent.each(changes)(
  'an open stream is notified of %s (%s)',
  async (_what, list, change) => {
    const here = await scene()
    const stream = await open(here.me)
    await change(here)
    await stream.waitFor('lists_changed', ({ lists }) => lists.includes(list), 20_000)
    stream.kill()
  },
  40_000,
)

it('the sender of a request is not notified about its rejection', async () => {
  const [sender, receiver] = await rooms.chat.people(2)
  const [theirs, mine] = [await open(sender), await open(receiver)]
  await rooms.chat.publish(friendRequestRejected, {
    request_id: 5,
    from_user_id: sender,
    to_user_id: receiver,
  })
  await mine.waitFor('friend', ({ event, user_id }) => event === 'request_rejected' && user_id === sender)
  await mine.waitFor('lists_changed', undefined, 20_000)
  expect(theirs.frames.map(({ event }) => event).filter((event) => event !== 'heartbeat')).toEqual(['reset'])
  expect(await versionsOf(sender)).toBeUndefined()
  for (const stream of [theirs, mine]) stream.kill()
}, 40_000)
