import type { Message } from '@bigtech/contracts'
import { storeRequests, waitFor } from '@bigtech/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  BACKGROUND,
  startTestRooms,
  type TestRooms,
  untilPublished,
  upTo,
} from '../../../../testing/rooms.ts'
import { collections } from '../log/documents.ts'
import { checkUnread } from './unread-check.repository.ts'

let rooms: TestRooms

beforeAll(async () => {
  rooms = await startTestRooms()
}, 60_000)
afterAll(() => rooms?.close())

const seqs = (answer: { body: { items: Message[] } }) => answer.body.items.map(({ seq }) => seq)

describe('listMessages', () => {
  it('the history pages back from the newest, forward from a seq and around one, without gap or overlap', async () => {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    for (const n of upTo(25)) await rooms.send(a, roomId, `${n}`)
    const list = (query: string) => rooms.as(b, 'GET', `/messages/${roomId}?${query}`)
    const newest = await list('limit=10')
    expect(seqs(newest)).toEqual(upTo(25).slice(15))
    expect(newest.body).toMatchObject({ last_seq: 25, last_cseq: 0 })
    await rooms.send(a, roomId, '26')
    const older = await list(`limit=10&cursor=${newest.body.next_cursor}`)
    expect(seqs(older)).toEqual(upTo(15).slice(5))
    const oldest = await list(`limit=10&cursor=${older.body.next_cursor}`)
    expect(seqs(oldest)).toEqual(upTo(5))
    expect(oldest.body.next_cursor).toBeNull()
    expect(seqs(await list('before_seq=4&limit=2'))).toEqual([2, 3])
    const forward = await list('after_seq=3&limit=20')
    expect(seqs(forward)).toEqual(upTo(23).slice(3))
    expect(seqs(await list(`limit=20&cursor=${forward.body.next_cursor}`))).toEqual([24, 25, 26])
    expect(seqs(await list('around_seq=13&limit=5'))).toEqual([11, 12, 13, 14, 15])
    for (const [query, code] of [
      ['before_seq=1&after_seq=1', 'VALIDATION_FAILED'],
      ['limit=101', 'VALIDATION_FAILED'],
      ['limit=0', 'VALIDATION_FAILED'],
      ['cursor=abc', 'CURSOR_INVALID'],
    ] as const) {
      expect(await list(query), query).toMatchObject({ status: 422, body: { code } })
    }
    // The query parser creates no objects from brackets: an unknown name like any other.
    expect(seqs(await list('limit=2&before_seq[$gt]=1'))).toEqual([25, 26])
  })

  it('a page of the history never has more messages than the limit in any direction, down to the smallest limit', async () => {
    const [a] = await rooms.chat.people(1)
    const roomId = await rooms.room(a)
    for (const n of upTo(6)) await rooms.send(a, roomId, `${n}`)
    const list = async (query: string) => seqs(await rooms.as(a, 'GET', `/messages/${roomId}?${query}`))
    expect(await list('around_seq=4&limit=1')).toEqual([4])
    expect(await list('around_seq=4&limit=2')).toEqual([3, 4])
    expect(await list('around_seq=1&limit=1')).toEqual([1])
    expect(await list('before_seq=4&limit=1')).toEqual([3])
    expect(await list('after_seq=4&limit=1')).toEqual([5])
    expect(await list('limit=1')).toEqual([6])
    await rooms.indexed(roomId)
    const found = await rooms.as(a, 'GET', `/messages/search?q=3&room_id=${roomId}&limit=1`)
    expect(seqs(found)).toEqual([3])
  })
})

it('any page of the history takes at most two requests to MongoDB and none to another store', async () => {
  const [a, b] = await rooms.chat.people(2)
  const roomId = await rooms.room(a, b)
  for (const n of upTo(60)) await rooms.send(a, roomId, `message ${n}`, 1)
  const [service] = rooms.chat.services
  await rooms.indexed(roomId)
  // The first page loads room and members into the cache.
  await rooms.as(b, 'GET', `/messages/${roomId}?limit=50`)
  for (const query of ['limit=50&before_seq=59', 'limit=50&before_seq=40', 'limit=20&after_seq=5']) {
    const cost = await storeRequests(service!.metrics, BACKGROUND, async () => {
      const { status } = await rooms.as(b, 'GET', `/messages/${roomId}?${query}`)
      expect(status).toBe(200)
    })
    expect(cost, query).toEqual({ 'mongodb messages.page_context': 1, 'mongodb messages.history': 1 })
  }
})

it('concurrent readers of a page share requests, but not what one of them has deleted for themselves', async () => {
  const [a, b] = await rooms.chat.people(2)
  const roomId = await rooms.room(a, b)
  const first = await rooms.send(a, roomId, 'one')
  for (const content of ['two', 'three']) await rooms.send(a, roomId, content)
  await rooms.as(b, 'DELETE', `/messages/${roomId}/${first.message_id}?for=me`)
  const contents = async (userId: number) =>
    // A page before the newest message of a room whose messages are not kept in memory.
    (await rooms.as(userId, 'GET', `/messages/${roomId}?before_seq=3`)).body.items.map(
      ({ content }: Message) => content,
    )
  await Promise.all([contents(a), contents(b)])
  const cost = await storeRequests(rooms.chat.services[0]!.metrics, BACKGROUND, async () => {
    const pages = await Promise.all(upTo(30).map((n) => contents(n % 2 === 0 ? a : b)))
    for (const [index, page] of pages.entries())
      expect(page).toEqual(index % 2 === 0 ? ['', 'two'] : ['one', 'two'])
  })
  expect(cost['mongodb messages.history']).toBeLessThanOrEqual(15)
})

it('a page of the history returns the positions of the newest message and change, including those of another process', async () => {
  const [a, b] = await rooms.chat.people(2)
  const roomId = await rooms.room(a, b)
  const first = await rooms.send(a, roomId, 'first')
  for (const n of upTo(4)) {
    await rooms.send(a, roomId, `more ${n}`, n % 2)
    await rooms.as(a, 'PATCH', `/messages/${roomId}/${first.message_id}`, { content: `${n}` }, n % 2)
    for (const process of [0, 1]) {
      const { body } = await rooms.as(
        b,
        'GET',
        `/messages/${roomId}?limit=1&before_seq=2`,
        undefined,
        process,
      )
      expect([body.last_seq, body.last_cseq], `${n} ${process}`).toEqual([n + 1, n])
      expect(body.items[0].content).toBe(`${n}`)
    }
  }
})

it('every page of the history hides messages that the reader has deleted for themselves', async () => {
  const [a, b] = await rooms.chat.people(2)
  const roomId = await rooms.room(a, b)
  const sent = []
  for (const n of upTo(12)) sent.push(await rooms.send(a, roomId, `message ${n}`, n % 2))
  for (const seq of [1, 6, 12])
    await rooms.as(b, 'DELETE', `/messages/${roomId}/${sent[seq - 1]!.message_id}?for=me`)
  for (const query of [
    'limit=5',
    'limit=5&before_seq=8',
    'limit=5&after_seq=0',
    'limit=4&around_seq=6',
    'limit=12',
  ])
    for (const process of [0, 1]) {
      const { body } = await rooms.as(b, 'GET', `/messages/${roomId}?${query}`, undefined, process)
      for (const { seq, content } of body.items as Message[])
        expect(content === '', `${query} ${seq}`).toBe([1, 6, 12].includes(seq))
    }
})

describe('unread_count', () => {
  /** Recounts by definition, from the stored positions and members. */
  async function recount(roomId: number): Promise<number[]> {
    const members = await rooms.chat.mysql.query<{
      user_id: number
      visible_from_seq: number
      joined_seq: number
    }>('SELECT user_id, visible_from_seq, joined_seq FROM room_members WHERE room_id = ?', [roomId])
    const positions = await rooms.db.collection(collections.positions).find({ room_id: roomId }).toArray()
    const messages = await rooms.db
      .collection(collections.messages)
      .find({ room_id: roomId })
      .sort({ _id: 1 })
      .toArray()
    return messages.map(({ user_id: author }, index) => {
      const unread = members.filter(({ user_id, visible_from_seq, joined_seq }) => {
        const read = positions.find((each) => each.user_id === user_id)?.seq ?? 0
        const sent =
          messages.findLastIndex((each) => each.user_id === user_id && each.message_type !== 'system') + 1
        const from = Math.max(visible_from_seq, joined_seq + 1)
        return user_id !== author && from <= index + 1 && Math.max(read, sent) < index + 1
      })
      return unread.length
    })
  }

  interface Step {
    readonly kind: 'send' | 'read' | 'leave' | 'join'
    /** Selects a member and a message. */
    readonly choice: number
    readonly process: number
  }

  const step: fc.Arbitrary<Step> = fc.record({
    kind: fc.oneof(
      { weight: 10, arbitrary: fc.constant('send' as const) },
      { weight: 7, arbitrary: fc.constant('read' as const) },
      { weight: 2, arbitrary: fc.constant('leave' as const) },
      { weight: 2, arbitrary: fc.constant('join' as const) },
    ),
    choice: fc.nat(1_000_000),
    process: fc.constantFrom(0, 1),
  })

  it('the unread count equals a recount on both processes through random reads, sends, leaving and joining', async () => {
    const history = fc.array(step, { minLength: 60, maxLength: 60 })
    // One history per run; a failure prints its seed.
    await fc.assert(fc.asyncProperty(history, liveThrough), { numRuns: 1, endOnFailure: true })
  }, 60_000)

  async function liveThrough(steps: readonly Step[]): Promise<void> {
    const people = await rooms.chat.people(5)
    const roomId = await rooms.room(...people)
    const owner: number = people[0]
    const inRoom = new Set<number>(people)
    let last = 0
    for (const [index, { kind, choice, process }] of steps.entries()) {
      const someone = [...inRoom][choice % inRoom.size]!
      if (kind === 'send') last = (await rooms.send(someone, roomId, `${index}`, process)).seq
      if (kind === 'read' && last > 0) {
        const seq = 1 + (choice % last)
        expect((await rooms.as(someone, 'PUT', `/rooms/${roomId}/read`, { seq }, process)).status).toBe(200)
      }
      if (kind === 'leave' && inRoom.size > 2 && someone !== owner) {
        await rooms.as(someone, 'POST', `/rooms/${roomId}/leave`, undefined, process)
        inRoom.delete(someone)
      }
      const missing = people.find((each) => !inRoom.has(each))
      if (kind === 'join' && missing !== undefined) {
        const url = `/rooms/${roomId}/members`
        const added = await rooms.as(owner, 'POST', url, { member_ids: [missing] }, process)
        if (added.status < 300) inRoom.add(missing)
      }
    }
    // System messages follow events, and the relay may have to store the read positions of senders.
    await untilPublished(rooms.db)
    const expected = await waitFor(async () => {
      const figures = await recount(roomId)
      for (const process of [0, 1]) {
        const counted: number[] = []
        for (let after = 0; ; ) {
          const { body } = await rooms.as(
            owner,
            'GET',
            `/messages/${roomId}?after_seq=${after}&limit=100`,
            undefined,
            process,
          )
          counted.push(...body.items.map((each: Message) => each.unread_count))
          if (!body.next_cursor) break
          after = body.items.at(-1).seq
        }
        expect(counted).toEqual(figures)
      }
      return figures
    })
    expect(expected.length).toBeGreaterThan(10)
  }

  it('a read position never moves back, and rejects a seq that does not exist yet', async () => {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    for (const n of upTo(3)) await rooms.send(a, roomId, `${n}`)
    const read = (seq: number, process = 0) => rooms.as(b, 'PUT', `/rooms/${roomId}/read`, { seq }, process)
    expect((await read(2)).body).toEqual({ room_id: roomId, user_id: b, seq: 2 })
    expect((await read(1, 1)).body.seq).toBe(2)
    expect((await read(4)).body.code).toBe('SEQ_OUT_OF_RANGE')
    const { body } = await rooms.as(a, 'GET', `/messages/${roomId}`, undefined, 1)
    expect(body.items.map((each: Message) => each.unread_count)).toEqual([0, 0, 1])
    const list = await rooms.as(b, 'GET', '/rooms')
    expect(list.body.items[0]).toMatchObject({ last_seq: 3, unread_count: 1, last_message_preview: '3' })
  })
})

describe('searchMessages', () => {
  it('search finds Korean, Japanese and Chinese by any part and Latin by words, newest first', async () => {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    const texts = [
      '내일 회의는 세 시입니다',
      '東京タワーで会いましょう',
      '我们明天见面吧',
      'Meeting at the Ｃafé tomorrow',
      '회의실 예약',
    ]
    for (const text of texts) await rooms.send(a, roomId, text)
    await rooms.indexed(roomId)
    const find = async (q: string, who = b, process = 0) =>
      (
        await rooms.as(who, 'GET', `/messages/search?q=${encodeURIComponent(q)}`, undefined, process)
      ).body.items.map(({ seq }: Message) => seq)
    expect(await find('회의')).toEqual([5, 1])
    expect(await find('의')).toEqual([5, 1])
    expect(await find('세 시')).toEqual([1])
    expect(await find('タワー')).toEqual([2])
    expect(await find('明天', b, 1)).toEqual([3])
    expect(await find('meeting TOMORROW')).toEqual([4])
    expect(await find('cafe\u0301')).toEqual([4])
    expect(await find('의회')).toEqual([])
    expect(await find('회의실은')).toEqual([])
    expect(await find('.*')).toEqual([])
    const [stranger] = await rooms.chat.people(1)
    expect(await find('회의', stranger)).toEqual([])
  })

  it('search follows edits, pages without gaps, and omits messages from before the reader joined', async () => {
    const [a, b, late] = await rooms.chat.people(3)
    const roomId = await rooms.room(a, b)
    const sent = []
    for (const n of upTo(7)) sent.push(await rooms.send(a, roomId, `사과 ${n}`))
    await rooms.as(a, 'PATCH', `/messages/${roomId}/${sent[2]!.message_id}`, { content: '포도' })
    await rooms.indexed(roomId)
    const found: number[] = []
    for (let cursor = ''; ; ) {
      const { body } = await rooms.as(
        b,
        'GET',
        `/messages/search?q=${encodeURIComponent('사과')}&limit=2${cursor}`,
      )
      found.push(...body.items.map(({ seq }: Message) => seq))
      if (!body.next_cursor) break
      cursor = `&cursor=${body.next_cursor}`
    }
    expect(found).toEqual([7, 6, 5, 4, 2, 1])
    await rooms.chat.befriend(a, late)
    await rooms.as(a, 'POST', `/rooms/${roomId}/members`, { member_ids: [late] })
    await rooms.chat.mysql.query(
      'UPDATE room_members SET visible_from_seq = 6 WHERE room_id = ? AND user_id = ?',
      [roomId, late],
    )
    const fresh = await rooms.chat.another()
    const asLate = (url: string) => rooms.chat.as(late, 'GET', url, undefined, fresh)
    const seen = await asLate(`/messages/search?q=${encodeURIComponent('사과')}&room_id=${roomId}`)
    expect(seqs(seen)).toEqual([7, 6])
    expect(seqs(await asLate(`/messages/${roomId}`)).every((seq) => seq >= 6)).toBe(true)
    expect((await asLate(`/messages/${roomId}/${sent[0]!.message_id}`)).body.code).toBe('MESSAGE_NOT_FOUND')
  })
})

it('operators in place of values are rejected or treated as plain text', async () => {
  const [a] = await rooms.chat.people(1)
  const roomId = await rooms.room(a)
  await rooms.send(a, roomId, 'kept')
  const probes: [string, string, unknown?][] = [
    ['POST', `/messages/${roomId}`, { content: { $gt: '' } }],
    ['POST', `/messages/${roomId}`, { content: 'x', client_message_id: { $ne: null } }],
    ['POST', `/messages/${roomId}`, { content: 'x', reply_to: { $gt: '' } }],
    ['POST', `/messages/${roomId}`, { content: 'x', mentions: [{ $gt: 0 }] }],
    ['POST', '/messages/[$ne]', { content: 'x' }],
    ['PATCH', `/messages/${roomId}/${roomId}:000000000001`, { content: { $set: 1 } }],
    ['GET', `/messages/${roomId}/%7B%22$gt%22%3A%22%22%7D`],
    ['PUT', `/rooms/${roomId}/read`, { seq: { $gt: 0 } }],
    ['GET', `/messages/search?q[$regex]=.*`],
    ['GET', `/messages/search?q=x&room_id[$gt]=0`],
  ]
  for (const [method, url, body] of probes) {
    const answer = await rooms.as(a, method, url, body)
    expect(
      answer.status === 422 || (answer.status === 200 && answer.body.items?.length === 0),
      `${method} ${url}`,
    ).toBe(true)
  }
  const text = '{"$where":"sleep(1000)"}'
  expect((await rooms.send(a, roomId, text)).content).toBe(text)
})

it('the check of read positions finds and repairs a position lost by a crash', async () => {
  const [a, b] = await rooms.chat.people(2)
  const roomId = await rooms.room(a, b)
  for (const n of upTo(3)) await rooms.send(a, roomId, `${n}`)
  const positions = rooms.db.collection<{ _id: string }>(collections.positions)
  // The relay also stores the position before it publishes messages found by the sweep.
  await untilPublished(rooms.db, roomId)
  await waitFor(() => positions.findOne({ _id: `${roomId}:${a}`, seq: 3 }))
  const findings = async (fix: boolean) =>
    (await checkUnread(rooms.db, { fix })).filter((each) => each.roomId === roomId)
  expect(await findings(false)).toEqual([])
  await positions.deleteOne({ _id: `${roomId}:${a}` })
  const lost = [{ roomId, userId: a, stored: 0, expected: 3 }]
  expect(await findings(false)).toEqual(lost)
  expect(await findings(true)).toEqual(lost)
  expect(await findings(false)).toEqual([])
})
