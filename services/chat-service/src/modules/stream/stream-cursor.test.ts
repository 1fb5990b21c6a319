import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeCursor, encodeCursor, StreamCursor } from './stream-cursor.ts'

const position = fc.nat({ max: 1e12 })

const nothing = { friends: 0, rooms: 0 }

it('every encoded cursor decodes to the same value', () => {
  fc.assert(
    fc.property(
      fc.record({ friends: position, rooms: position }),
      fc.nat({ max: 8e12 }),
      fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 1e12 }), position, position), {
        selector: ([id]) => id,
      }),
      (lists, since, entries) => {
        const rooms = new Map(entries.map(([id, seq, cseq]) => [id, { seq, cseq }]))
        const isTruncated = false
        expect(decodeCursor(encodeCursor({ lists, since, rooms }))).toEqual({
          lists,
          since,
          rooms,
          isTruncated,
        })
      },
    ),
  )
})

it('decoding a cursor rejects any other text and never throws', () => {
  for (const text of [
    '',
    '2',
    '1~0.0~a',
    '2~0.0',
    '2~0~a',
    '2~0.0~a~',
    '2~0.0~a~1.2',
    '2~0.0~a~1.2.x!',
    '2~0.0~a~-1.2.3',
    `2~0.0~a${'~1.1.1'.repeat(1_400)}`,
  ]) {
    expect(decodeCursor(text), text.slice(0, 20)).toBeUndefined()
  }
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'019az~.-+A\u{1f600}'), maxLength: 200 }), (text) => {
      decodeCursor(`2~0.0~${text}`)
      decodeCursor(text)
    }),
  )
})

it("a cursor stays below the API's limit of 8,000 characters by listing only the most recent rooms", () => {
  const rooms = new Map<number, { seq: number; cseq: number }>()
  for (let id = 1; id <= 2_000; id++) rooms.set(id, { seq: 1_000_000 + id, cseq: id })
  const text = encodeCursor({ lists: nothing, since: Date.now(), rooms })
  expect(text.length).toBeLessThanOrEqual(8_000)
  const listed = [...decodeCursor(text)!.rooms]
  expect(listed.length).toBeGreaterThan(500)
  expect(decodeCursor(text)!.isTruncated).toBe(true)
  expect(listed).toEqual([...rooms].slice(-listed.length))
})

it('a cursor lists a room until its newest entry is covered, also after the delivery of an older entry', () => {
  const cursor = new StreamCursor()
  cursor.start(0, nothing)
  cursor.move(1, { seq: 1, cseq: 0, at: 200 })
  cursor.move(1, { seq: 1, cseq: 1, at: 100 })
  cursor.advance(150)
  expect(cursor.heads).toEqual([{ room_id: 1, seq: 1, cseq: 1 }])
  cursor.advance(201)
  expect(cursor.heads).toEqual([])
})

it('every block carries the position of its own stream, whatever other streams have sent in between', () => {
  const small = fc.nat({ max: 2 })
  const step = fc.record({
    stream: fc.nat({ max: 1 }),
    action: fc.constantFrom('move', 'set', 'forget', 'advance', 'lists'),
    roomId: fc.integer({ min: 1, max: 2 }),
    value: small,
    block: fc.nat({ max: 1 }),
  })
  const blocks = ['event: a\n\n', 'event: b\n\n'].map((text) => Buffer.from(text))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const cursors = [new StreamCursor(), new StreamCursor()]
      for (const cursor of cursors) cursor.start(0, nothing)
      for (const { stream, action, roomId, value, block } of steps) {
        const cursor = cursors[stream]!
        if (action === 'move') cursor.move(roomId, { seq: value, cseq: 0, at: value })
        else if (action === 'set') cursor.set(roomId, { seq: 0, cseq: value, at: value })
        else if (action === 'forget') cursor.forget(roomId)
        else if (action === 'advance') cursor.advance(value)
        else cursor.lists = { friends: value, rooms: 0 }
        const { lists, since, heads } = cursor
        const rooms = new Map(heads.map(({ room_id, seq, cseq }) => [room_id, { seq, cseq }]))
        const id = `id: ${encodeCursor({ lists, since, rooms })}\n`
        expect(cursor.stamp(blocks[block]!).toString()).toBe(id + blocks[block])
      }
    }),
  )
})

it('streams at the same position share the bytes of a block', () => {
  const block = Buffer.from('event: a\n\n')
  const [one, other] = [new StreamCursor(), new StreamCursor()]
  for (const cursor of [one, other]) {
    cursor.start(1, { friends: 2, rooms: 3 })
    cursor.move(4, { seq: 5, cseq: 6, at: 7 })
  }
  expect(other.stamp(block)).toBe(one.stamp(block))
})
