import { type Message, messageExample, type Room, roomExample, type StreamFrame } from '@bigtech/client'
import { describe, expect, it } from 'vitest'
import { Rooms } from './rooms.ts'

const ME = 100
const at = (minute: number) => `2026-01-27T10:${String(minute).padStart(2, '0')}:00.000Z`
const roomOf = (room_id: number, changes: Partial<Room> = {}): Room => ({
  ...roomExample,
  room_id,
  last_seq: 5,
  unread_count: 0,
  last_activity_at: at(room_id),
  ...changes,
})
const messageOf = (seq: number, changes: Partial<Message> = {}): Message => ({
  ...messageExample,
  room_id: 1,
  seq,
  user_id: 101,
  created_at: at(30 + seq),
  ...changes,
})
const arrival = (message: Message): StreamFrame => ({
  event: 'message',
  data: { room_id: message.room_id, seq: message.seq, message },
})
const reading = (user_id: number, seq: number): StreamFrame => ({
  event: 'read',
  data: { room_id: 1, positions: [{ user_id, seq }] },
})

function listOf(...rooms: Room[]) {
  const held = new Rooms(ME)
  held.load(rooms)
  return { held, ids: () => held.list.map(({ room_id }) => room_id), first: () => held.list[0]! }
}

describe('the room list', () => {
  it('the room list applies messages, edits and read positions without being fetched again', () => {
    const { held, ids, first } = listOf(roomOf(1), roomOf(2))
    expect(ids()).toEqual([2, 1])
    expect(held.apply(arrival(messageOf(6, { content: 'first' })))).toBe('changed')
    expect(held.apply(arrival(messageOf(7, { content: 'second', mentions: [ME] })))).toBe('changed')
    expect(ids()).toEqual([1, 2])
    expect(first()).toMatchObject({ last_seq: 7, unread_count: 2, mention_count: 1, last_message_at: at(37) })
    expect(first().last_message_preview).toBe('second')
    const deleted = messageOf(7, { content: '', is_deleted: true })
    const data = { room_id: 1, cseq: 9, change: 'deleted' as const, message: deleted }
    expect(held.apply({ event: 'message_updated', data })).toBe('changed')
    expect(first().last_message_preview).toBeNull()
    expect(held.apply(reading(101, 7))).toBe('unchanged')
    expect(held.apply(reading(ME, 6))).toBe('changed')
    expect(first().unread_count).toBe(1)
    expect(held.apply(reading(ME, 7))).toBe('changed')
    expect(first()).toMatchObject({ unread_count: 0, mention_count: 0 })
  })

  it('the room list treats own messages as read, and system messages as no news', () => {
    const { held, first } = listOf(roomOf(1, { unread_count: 3 }))
    held.apply(arrival(messageOf(6, { user_id: ME })))
    expect(first().unread_count).toBe(0)
    held.apply(arrival(messageOf(7, { user_id: ME, message_type: 'system', content: '' })))
    expect(first().unread_count).toBe(0)
  })

  it('the room list counts a message once that the fetched list already included', () => {
    const { held, first } = listOf(roomOf(1, { last_seq: 6, unread_count: 1 }))
    expect(held.apply(arrival(messageOf(6)))).toBe('unchanged')
    expect(first().unread_count).toBe(1)
  })

  it('the room list keeps pinned rooms first', () => {
    const { held, ids } = listOf(roomOf(1), roomOf(2, { pinned: true }))
    held.apply(arrival(messageOf(6)))
    expect(ids()).toEqual([2, 1])
  })

  it('the room list drops a room that the user left, and names a room with unknown state', () => {
    const { held, ids } = listOf(roomOf(1), roomOf(2))
    expect(held.apply({ event: 'room_removed', data: { room_id: 1 } })).toBe('changed')
    expect(ids()).toEqual([2])
    expect(held.apply(arrival(messageOf(6)))).toEqual({ fetch: 1 })
    expect(held.apply({ event: 'ready', data: { stream_id: 's', rooms: [] } })).toBe('stale')
    expect(held.apply({ event: 'room_updated', data: { room_id: 2, members: null } })).toEqual({ fetch: 2 })
    const typing = { room_id: 2, user_id: 101, expires_in_ms: 6_000 }
    expect(held.apply({ event: 'typing', data: typing })).toBe('unchanged')
  })

  it('the room list drops a room that was archived in the meantime', () => {
    const { held, ids } = listOf(roomOf(1), roomOf(2))
    held.put(roomOf(2, { archived: true }))
    expect(ids()).toEqual([1])
  })
})
