import { type Message, userDeleted, uuidv7 } from '@bigtech/contracts'
import { storeRequests, waitFor } from '@bigtech/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BACKGROUND, startTestRooms, type TestRooms, upTo } from '../../../../testing/rooms.ts'
import type { MessageDocument } from '../log/documents.ts'

let rooms: TestRooms

beforeAll(async () => {
  rooms = await startTestRooms()
}, 60_000)
afterAll(() => rooms?.close())

const PROCESSES = [0, 1]
const EMOJI = ['👍', '❤️']

const page = async (userId: number, roomId: number, query: string, process: number) => {
  const answer = await rooms.as(userId, 'GET', `/messages/${roomId}?${query}`, undefined, process)
  expect(answer.status).toBe(200)
  return answer.body.items as Message[]
}

/** Reads the newest page often enough for each process to keep it. */
async function keep(userId: number, roomId: number): Promise<void> {
  for (const process of PROCESSES) for (const _ of upTo(2)) await page(userId, roomId, 'limit=50', process)
}

const stored = (roomId: number) =>
  rooms.db.collection<MessageDocument>('messages').find({ room_id: roomId }).sort({ _id: 1 }).toArray()

it('the newest page of a room that is read repeatedly takes one request to MongoDB', async () => {
  const [a, b] = await rooms.chat.people(2)
  const roomId = await rooms.room(a, b)
  for (const n of upTo(30)) await rooms.send(a, roomId, `message ${n}`)
  await keep(b, roomId)
  for (const query of [
    'limit=10',
    'limit=20',
    'limit=5&before_seq=25',
    'after_seq=12',
    'around_seq=20&limit=6',
  ]) {
    const cost = () =>
      storeRequests(rooms.chat.services[0]!.metrics, BACKGROUND, () => page(a, roomId, query, 0))
    // A page may be dropped and read once more, on a machine that is busy for longer than it is kept.
    await expect.poll(cost, { message: query }).toEqual({ 'mongodb messages.page_context': 1 })
  }
  const beside = /^(?!mongodb (messages|room_changes)\.(after|history))/
  let pinned = 0
  const catchUps = async () => {
    const { content } = await rooms.send(a, roomId, `one more after ${pinned} pins`)
    await rooms.as(a, 'PUT', `/messages/${roomId}/${(await stored(roomId))[pinned++]!._id}/pin`)
    return storeRequests(rooms.chat.services[0]!.metrics, beside, async () => {
      expect((await page(a, roomId, 'limit=1', 0))[0]!.content).toBe(content)
    })
  }
  await expect.poll(catchUps, { message: 'after own writes' }).toEqual({})
})

it('a kept page includes a change that another process stored in the log before it died', async () => {
  const [a, b] = await rooms.chat.people(2)
  const roomId = await rooms.room(a, b)
  const { message_id } = await rooms.send(a, roomId, 'first')
  await rooms.send(a, roomId, 'second')
  const change = (cseq: number, content: string) => ({
    _id: `${roomId}:${String(cseq).padStart(12, '0')}`,
    ...{ room_id: roomId, created_at: new Date(), event_id: uuidv7(), correlation_id: 'test' },
    ...{ message_id, cseq, user_id: a, kind: 'edited', content, rev: cseq },
  })
  const log = rooms.db.collection<{ _id: string }>('room_changes')
  await keep(b, roomId)
  await log.insertOne(change(1, 'edited while kept'))
  for (const process of PROCESSES)
    expect((await page(b, roomId, 'limit=50', process))[0]).toMatchObject({
      content: 'edited while kept',
      rev: 1,
    })
})

it('the name of a deleted account disappears from kept pages of every process', async () => {
  const [a, b] = await rooms.chat.people(2)
  const roomId = await rooms.room(a, b)
  const { seq, username } = await rooms.send(b, roomId, 'a message that stays')
  const nameIn = async (process: number) =>
    (await page(a, roomId, 'limit=50', process)).find((message) => message.seq === seq)?.username
  await keep(a, roomId)
  for (const process of PROCESSES) expect(await nameIn(process)).toBe(username)
  await rooms.chat.publish(userDeleted, { user_id: b, deletion_id: uuidv7(), message_policy: 'keep' })
  for (const process of PROCESSES)
    await waitFor(async () => (await nameIn(process)) === 'unknown user', {
      timeoutMs: 20_000,
      what: 'the name to disappear',
    })
}, 60_000)

interface Step {
  readonly kind: 'send' | 'edit' | 'delete' | 'react' | 'unreact' | 'pin' | 'hide' | 'read' | 'rejoin'
  /** Selects a member and a message. */
  readonly choice: number
  readonly process: number
}

const weighted = (weight: number, ...kinds: Step['kind'][]) => ({
  weight,
  arbitrary: fc.constantFrom(...kinds),
})
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    weighted(6, 'send', 'read'),
    weighted(3, 'edit', 'react'),
    weighted(2, 'delete', 'unreact', 'pin', 'hide'),
    weighted(1, 'rejoin'),
  ),
  choice: fc.nat(1_000_000),
  process: fc.constantFrom(...PROCESSES),
})

it('the history equals the stored messages on both processes after random concurrent sends, changes, erasures and rejoining', async () => {
  // Each inner list runs at once; a failure prints its seed.
  const history = fc.array(fc.array(step, { minLength: 1, maxLength: 8 }), { minLength: 8, maxLength: 8 })
  await fc.assert(fc.asyncProperty(history, liveThrough), { numRuns: 1, endOnFailure: true })
}, 60_000)

async function liveThrough(rounds: readonly Step[][]): Promise<void> {
  const members = await rooms.chat.people(3)
  const roomId = await rooms.room(...members)
  await rooms.as(members[0], 'PATCH', `/rooms/${roomId}`, { history_visibility: 'joined' })
  for (const n of upTo(8)) await rooms.send(members[n % 3]!, roomId, `message ${n}`, n % 2)
  for (const steps of rounds) {
    const before = await stored(roomId)
    await Promise.all(steps.map((each) => perform(each, members, roomId, before)))
    for (const userId of members) for (const process of PROCESSES) await compare(userId, roomId, process)
  }
}

async function perform(
  { kind, choice, process }: Step,
  members: readonly number[],
  roomId: number,
  messages: readonly MessageDocument[],
): Promise<void> {
  const userId = members[choice % members.length]!
  const message = messages[choice % messages.length]!
  const url = `/messages/${roomId}/${message._id}`
  const emoji = encodeURIComponent(EMOJI[choice % EMOJI.length]!)
  const call = (method: string, path: string, body?: unknown, who = userId) =>
    rooms.as(who, method, path, body, process)
  // Refusals, such as of editing a deleted message, are part of the game.
  switch (kind) {
    case 'send':
      await call('POST', `/messages/${roomId}`, { content: `sent ${choice}` })
      return
    case 'edit':
      await call('PATCH', url, { content: `edited ${choice}` }, message.user_id)
      return
    case 'delete':
      await call('DELETE', url, undefined, message.user_id)
      return
    case 'hide':
      await call('DELETE', `${url}?for=me`)
      return
    case 'react':
      await call('PUT', `${url}/reactions/${emoji}`)
      return
    case 'unreact':
      await call('DELETE', `${url}/reactions/${emoji}`)
      return
    case 'pin':
      await call(choice % 2 === 0 ? 'PUT' : 'DELETE', `${url}/pin`)
      return
    case 'read':
      await call('GET', `/messages/${roomId}?limit=${1 + (choice % 30)}`)
      return
    case 'rejoin':
      // The owner stays, so that the room does.
      if (userId === members[0]) return
      await call('DELETE', `/rooms/${roomId}/members/${userId}`)
      await call('POST', `/rooms/${roomId}/members`, { member_ids: [userId] }, members[0])
  }
}

/** Compares pages of a member with the stored documents, again if a line about a member was stored meanwhile. */
async function compare(userId: number, roomId: number, process: number): Promise<void> {
  for (;;) {
    const before = await expectedFor(userId, roomId)
    const middle = before[Math.floor(before.length / 2)]?.seq ?? 1
    const queries = ['limit=100', 'limit=7', `limit=100&after_seq=${middle}`, `limit=4&before_seq=${middle}`]
    const shown = []
    for (const query of queries) shown.push((await page(userId, roomId, query, process)).map(shownOf))
    const after = await expectedFor(userId, roomId)
    if (after.length !== before.length) continue
    expect(shown).toEqual([
      after,
      after.slice(-7),
      after.filter(({ seq }) => seq > middle),
      after.filter(({ seq }) => seq < middle).slice(-4),
    ])
    return
  }
}

async function expectedFor(userId: number, roomId: number) {
  const [membership] = await rooms.chat.mysql.query<{ visible_from_seq: number }>(
    'SELECT visible_from_seq FROM room_members WHERE room_id = ? AND user_id = ?',
    [roomId, userId],
  )
  const hidden = await rooms.db.collection('hidden_messages').find({ user_id: userId }).toArray()
  const hiddenIds = new Set(hidden.map((each) => each.message_id as string))
  return (await stored(roomId))
    .map((document, index) => expectedOf(document, index + 1, userId, hiddenIds))
    .filter(({ seq }) => seq >= Number(membership!.visible_from_seq))
}

function expectedOf(document: MessageDocument, seq: number, userId: number, hidden: ReadonlySet<string>) {
  const isHidden = hidden.has(document._id)
  const { content, is_deleted, reactions, rev, cseq, pinned_at, username } = document
  return {
    ...{ seq, rev, cseq, username },
    content: isHidden ? '' : content,
    is_deleted: isHidden || is_deleted,
    pinned: !isHidden && pinned_at !== undefined,
    reactions: isHidden
      ? []
      : reactions.map(({ emoji, user_ids }) => ({
          emoji,
          count: user_ids.length,
          me: user_ids.includes(userId),
        })),
  }
}

function shownOf(message: Message) {
  const { seq, content, is_deleted, reactions, rev, cseq, pinned_at, username } = message
  return { seq, rev, cseq, username, content, is_deleted, reactions, pinned: pinned_at !== null }
}
