import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { messageOf } from '../testing/fakes.ts'
import type { StreamFrame } from './frames.ts'
import type { Message } from './operations.ts'
import { Timeline } from './timeline.ts'

const USERS = [1, 2, 3]

type Action =
  | { kind: 'send'; by: number }
  | { kind: 'edit' | 'delete'; pick: number }
  | { kind: 'read'; by: number; pick: number }

const user = fc.constantFrom(...USERS)
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant('send' as const), by: user }),
  fc.record({ kind: fc.constantFrom('edit' as const, 'delete' as const), pick: fc.nat() }),
  fc.record({ kind: fc.constant('read' as const), by: user, pick: fc.nat() }),
)

/** The room on the server: the state that a client would fetch, and the frame of every step. */
class Room {
  readonly messages: Message[] = []
  readonly positions = new Map(USERS.map((id) => [id, 0]))
  readonly frames: StreamFrame[] = []
  #cseq = 0

  do(step: Action): void {
    if (step.kind === 'send') {
      const message = this.#view(messageOf(this.messages.length + 1, { user_id: step.by, cseq: 0 }))
      this.messages.push(message)
      this.positions.set(step.by, message.seq)
      this.frames.push({ event: 'message', data: { room_id: 7, seq: message.seq, message } })
      return
    }
    if (this.messages.length === 0) return
    const index = step.pick % this.messages.length
    if (step.kind === 'read') {
      const seq = Math.max(this.positions.get(step.by)!, index + 1)
      this.positions.set(step.by, seq)
      this.frames.push({ event: 'read', data: { room_id: 7, positions: [{ user_id: step.by, seq }] } })
      return
    }
    const cseq = ++this.#cseq
    const changed = { ...this.messages[index]!, cseq }
    const message =
      step.kind === 'edit'
        ? { ...changed, content: `edited ${cseq}`, rev: changed.rev + 1 }
        : { ...changed, content: '', is_deleted: true, deleted_for: 'all' as const }
    this.messages[index] = message
    const change = step.kind === 'edit' ? 'edited' : 'deleted'
    this.frames.push({
      event: 'message_updated',
      data: { room_id: 7, cseq, change, message: this.#view(message) },
    })
  }

  /** Returns the current response of `GET /messages/7`. */
  fresh(): Message[] {
    return this.messages.map((message) => this.#view(message))
  }

  #view(message: Message): Message {
    const unread = USERS.filter((id) => id !== message.user_id && this.positions.get(id)! < message.seq)
    return { ...message, unread_count: unread.length }
  }
}

const positionsOf = (room: Room) => [...room.positions].map(([user_id, seq]) => ({ user_id, seq }))

describe('Timeline', () => {
  it('a timeline equals a fresh fetch after any frames, in order and partly duplicated', () => {
    const plan = fc.array(fc.tuple(action, fc.nat({ max: 4 })), { maxLength: 60 })
    fc.assert(
      fc.property(plan, fc.nat({ max: 20 }), (steps, loadedAfter) => {
        const room = new Room()
        const timeline = new Timeline(7)
        timeline.loadPositions(positionsOf(room))
        for (const [index, [step, again]] of steps.entries()) {
          room.do(step)
          // A page of the history arrives in the middle, as after opening the room.
          if (index === loadedAfter) {
            timeline.load(room.fresh())
            timeline.loadPositions(positionsOf(room))
          }
          // Each frame in order, then some again in reverse order.
          for (const frame of room.frames.slice(-1 - again).reverse()) timeline.apply(frame)
        }
        expect(timeline.messages).toEqual(room.fresh())
      }),
      { numRuns: 300 },
    )
  })

  it('a timeline never reverts to an older copy of a message, in any order of arrival', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 1 }), (cseqs) => {
        const timeline = new Timeline(7)
        for (const cseq of cseqs) timeline.load([messageOf(1, { cseq })])
        expect(timeline.messages[0]!.cseq).toBe(Math.max(...cseqs))
      }),
    )
  })

  it('a timeline counts a new member from the position of joining, and drops former members', () => {
    const timeline = new Timeline(7)
    timeline.load([messageOf(1, { user_id: 1 }), messageOf(2, { user_id: 1 })])
    timeline.loadPositions([{ user_id: 1, seq: 2 }])
    const members = { added: [{ user_id: 2, seq: 1 }], removed: [] as number[] }
    timeline.apply({ event: 'room_updated', data: { room_id: 7, members } })
    expect(timeline.messages.map((message) => message.unread_count)).toEqual([0, 1])
    timeline.apply({ event: 'room_updated', data: { room_id: 7, members: { added: [], removed: [2] } } })
    expect(timeline.messages.map((message) => message.unread_count)).toEqual([0, 0])
  })

  it('a timeline does not treat a system message as read by its author', () => {
    const timeline = new Timeline(7)
    timeline.load([messageOf(1, { user_id: 1 })])
    timeline.loadPositions([
      { user_id: 1, seq: 1 },
      { user_id: 2, seq: 0 },
    ])
    const message = messageOf(2, { user_id: 2, message_type: 'system' })
    timeline.apply({ event: 'message', data: { room_id: 7, seq: 2, message } })
    expect(timeline.messages.map((each) => each.unread_count)).toEqual([1, 1])
  })

  it('a timeline keeps positions received from the stream while the initial fetch is in flight', () => {
    const timeline = new Timeline(7)
    timeline.load([messageOf(1, { user_id: 1 }), messageOf(2, { user_id: 1 })])
    const positions = [2, 3].map((user_id) => ({ user_id, seq: 2 }))
    timeline.apply({ event: 'read', data: { room_id: 7, positions } })
    timeline.loadPositions([
      { user_id: 1, seq: 2 },
      { user_id: 2, seq: 1 },
    ])
    expect(timeline.messages.map((message) => message.unread_count)).toEqual([0, 0])
    timeline.apply({
      event: 'room_updated',
      data: { room_id: 7, members: { added: [{ user_id: 3, seq: 0 }], removed: [] } },
    })
    expect(timeline.messages.map((message) => message.unread_count)).toEqual([0, 0])
  })

  it('a timeline hides a message deleted for oneself, and keeps its position', () => {
    const timeline = new Timeline(7)
    const attachment = { url: 'https://x.test/a.png', name: 'a.png', mime: 'image/png', size: 3 }
    const reactions = [{ emoji: '👍', count: 1, me: false }]
    const message = messageOf(1, { content: 'x', attachment, reactions, mentions: [2] })
    timeline.load([message])
    const frame = { event: 'message_hidden' as const, data: { room_id: 7, message_id: message.message_id } }
    expect(timeline.apply(frame)).toBe(true)
    const nothing = { content: '', attachment: null, reactions: [], mentions: [], reply_preview: null }
    expect(timeline.messages[0]).toMatchObject({ seq: 1, is_deleted: true, deleted_for: 'me', ...nothing })
    timeline.load([messageOf(1, { content: '', is_deleted: true, deleted_for: 'all', cseq: 9 })])
    timeline.apply(frame)
    expect(timeline.messages[0]).toMatchObject({ deleted_for: 'all' })
  })

  describe('a reply preview', () => {
    const original = messageOf(1, { content: 'the original' })
    const preview = {
      message_id: original.message_id,
      seq: 1,
      user_id: original.user_id,
      username: original.username,
      content: 'the original',
      message_type: 'text' as const,
      is_deleted: false,
    }
    const reply = messageOf(2, { reply_to: original.message_id, reply_preview: preview })
    const deleted = { ...original, content: '', is_deleted: true, deleted_for: 'all' as const, cseq: 9 }
    const deletion: StreamFrame = {
      event: 'message_updated',
      data: { room_id: 7, cseq: 9, change: 'deleted', message: deleted },
    }
    const hidden: StreamFrame = {
      event: 'message_hidden',
      data: { room_id: 7, message_id: original.message_id },
    }
    const shown = (timeline: Timeline) => timeline.messages.find(({ seq }) => seq === 2)!.reply_preview
    const nothing = { ...preview, content: '', is_deleted: true }

    it.each([
      ['a deletion', deletion],
      ['hiding it', hidden],
    ])('a reply preview follows %s for loaded and unloaded originals in any order', (_what, frame) => {
      for (const loaded of [[original, reply], [reply]]) {
        const before = new Timeline(7)
        before.load(loaded)
        expect(before.apply(frame)).toBe(true)
        expect(shown(before)).toEqual(nothing)
        const after = new Timeline(7)
        after.apply(frame)
        after.load(loaded)
        expect(shown(after)).toEqual(nothing)
      }
    })

    it('a reply preview follows the newer of two edits of an unloaded original', () => {
      const timeline = new Timeline(7)
      timeline.load([reply])
      for (const [cseq, content] of [
        [5, 'second'],
        [4, 'first'],
      ] as const) {
        const message = { ...original, content, cseq }
        timeline.apply({
          event: 'message_updated',
          data: { room_id: 7, cseq, change: 'edited', message },
        })
      }
      expect(shown(timeline)).toEqual({ ...preview, content: 'second' })
    })

    it('a reply preview is cut at a grapheme boundary', () => {
      const timeline = new Timeline(7)
      const family = '👨‍👩‍👧‍👦'
      timeline.load([messageOf(1, { content: 'x'.repeat(99) + family.repeat(3) }), reply])
      expect(shown(timeline)!.content).toBe('x'.repeat(99) + family)
    })
  })

  it('a timeline ignores frames of other rooms and of no room', () => {
    const timeline = new Timeline(8)
    const frame: StreamFrame = { event: 'message', data: { room_id: 7, seq: 1, message: messageOf(1) } }
    expect(timeline.apply(frame)).toBe(false)
    expect(timeline.apply({ event: 'reconnect', data: { delay_ms: 1 } })).toBe(false)
    expect(timeline.messages).toEqual([])
    expect(timeline.firstSeq).toBeUndefined()
  })
})
