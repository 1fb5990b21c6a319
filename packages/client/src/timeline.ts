import { excerpt, hiddenMessage } from '@bigtech/contracts'
import type { StreamFrame } from './frames.ts'
import type { Message } from './operations.ts'

/**
 * One room on a client: the loaded messages, kept equal to a fresh fetch by applying the frames of the
 * stream.
 */
export class Timeline {
  readonly roomId: number
  readonly #bySeq = new Map<number, Message>()
  /** The newest copies of changed messages that are not loaded, because replies to them may be. */
  readonly #changed = new Map<number, Message>()
  /** Ids of messages that the user deleted for themselves. */
  readonly #hidden = new Set<string>()
  /** Read positions by member. Sending a message marks everything before it as read. */
  readonly #positions = new Map<number, number>()
  /** Positions received from the stream, also for users who are not known as members yet: the fetch of the members may be in flight. */
  readonly #streamed = new Map<number, number>()

  constructor(roomId: number) {
    this.roomId = roomId
  }

  /** In ascending order of `seq`, each with its exact `unread_count`. */
  get messages(): Message[] {
    const sorted = [...this.#bySeq.values()].sort((a, b) => a.seq - b.seq)
    if (this.#positions.size === 0) return sorted
    return sorted.map((message) => ({ ...message, unread_count: this.#unreadOf(message) }))
  }

  /** The oldest loaded message, to page back from with `before_seq`. */
  get firstSeq(): number | undefined {
    return this.#bySeq.size === 0 ? undefined : Math.min(...this.#bySeq.keys())
  }

  /** Merges a page of history; the copy with the higher `cseq` wins. */
  load(messages: readonly Message[]): void {
    for (const message of messages) this.#put(message)
  }

  /** Merges the response of `GET /rooms/{room_id}/read`: the members, and how far each has read at least. */
  loadPositions(positions: readonly { user_id: number; seq: number }[]): void {
    this.#positions.clear()
    for (const { user_id, seq } of positions) this.#join(user_id, seq)
  }

  /** Applies a frame; frames of other rooms change nothing. Returns whether something changed. */
  apply(frame: StreamFrame): boolean {
    if (!('room_id' in frame.data) || frame.data.room_id !== this.roomId) return false
    switch (frame.event) {
      case 'message':
        this.#put(frame.data.message)
        // A system message was not written by its author, and reads nothing.
        if (frame.data.message.message_type !== 'system')
          this.#advance(frame.data.message.user_id, frame.data.seq)
        return true
      case 'message_updated':
        return this.#update(frame.data.message)
      case 'read':
        for (const { user_id, seq } of frame.data.positions) this.#advance(user_id, seq)
        return true
      case 'room_updated':
        for (const { user_id, seq } of frame.data.members?.added ?? []) this.#join(user_id, seq)
        for (const userId of frame.data.members?.removed ?? []) this.#positions.delete(userId)
        return true
      case 'message_hidden':
        return this.#hide(frame.data.message_id)
      default:
        return false
    }
  }

  #put(message: Message): void {
    const held = this.#bySeq.get(message.seq)
    if (held && message.cseq < held.cseq) return
    if (message.deleted_for === 'me') this.#hidden.add(message.message_id)
    const changed = this.#changed.get(message.seq)
    const newest = changed && changed.cseq > message.cseq ? changed : message
    this.#changed.delete(message.seq)
    const shown = this.#hidden.has(message.message_id) ? hiddenMessage(newest) : newest
    this.#bySeq.set(message.seq, this.#withPreview(shown))
    this.#renewPreviews(message.message_id)
  }

  #update(message: Message): boolean {
    if (this.#bySeq.has(message.seq)) {
      this.#put(message)
      return true
    }
    const known = this.#changed.get(message.seq)
    if (!known || known.cseq < message.cseq) this.#changed.set(message.seq, message)
    return this.#renewPreviews(message.message_id)
  }

  /** Updates the previews of replies to a message. Returns whether there are any. */
  #renewPreviews(messageId: string): boolean {
    let renewed = false
    for (const [seq, reply] of this.#bySeq) {
      if (reply.reply_preview?.message_id !== messageId) continue
      this.#bySeq.set(seq, this.#withPreview(reply))
      renewed = true
    }
    return renewed
  }

  /**
   * Returns the preview from the known copy of the original: the two logs of a room have no common order, so
   * the preview in a reply may be older. Hides an original that the user deleted for themselves.
   */
  #withPreview(message: Message): Message {
    const { reply_preview: preview } = message
    if (!preview) return message
    const isHidden = this.#hidden.has(preview.message_id)
    const original = this.#bySeq.get(preview.seq) ?? this.#changed.get(preview.seq)
    if (!isHidden && !original) return message
    const is_deleted = isHidden || original!.is_deleted
    const content = is_deleted ? '' : excerpt(original!.content)
    return { ...message, reply_preview: { ...preview, content, is_deleted } }
  }

  #advance(userId: number, seq: number): void {
    this.#streamed.set(userId, Math.max(seq, this.#streamed.get(userId) ?? 0))
    if (this.#positions.has(userId)) this.#join(userId, this.#positions.get(userId)!)
  }

  #join(userId: number, seq: number): void {
    this.#positions.set(userId, Math.max(seq, this.#streamed.get(userId) ?? 0))
  }

  #hide(messageId: string): boolean {
    this.#hidden.add(messageId)
    let isHeld = false
    for (const [seq, message] of this.#bySeq) {
      if (message.message_id !== messageId) continue
      this.#bySeq.set(seq, hiddenMessage(message))
      isHeld = true
    }
    return this.#renewPreviews(messageId) || isHeld
  }

  #unreadOf(message: Message): number {
    let unread = 0
    for (const [userId, seq] of this.#positions) {
      if (userId !== message.user_id && seq < message.seq) unread++
    }
    return unread
  }
}
