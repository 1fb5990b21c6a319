import { hiddenMessage, type Message, type StreamFrame } from '@bigtech/contracts'

/** As much of an original as a reply shows. */
const PREVIEW_CHARACTERS = 100

/**
 * One room as a client holds it: the messages it has loaded, kept equal to what it would fetch
 * fresh by applying the frames of the stream.
 */
export class Timeline {
  readonly roomId: number
  readonly #bySeq = new Map<number, Message>()
  /** How far each member has read; a member who sent something has read what was before it. */
  readonly #positions = new Map<number, number>()
  /** The same of whomever a frame named: it may come before the members are known, or while they are asked for. */
  readonly #heard = new Map<number, number>()

  constructor(roomId: number) {
    this.roomId = roomId
  }

  /** In ascending order of `seq`, each with its exact `unread_count`. */
  get messages(): Message[] {
    const sorted = [...this.#bySeq.values()].sort((a, b) => a.seq - b.seq)
    if (this.#positions.size === 0) return sorted
    return sorted.map((message) => ({ ...message, unread_count: this.#unreadOf(message) }))
  }

  /** The oldest loaded, to page back from with `before_seq`. */
  get firstSeq(): number | undefined {
    return this.#bySeq.size === 0 ? undefined : Math.min(...this.#bySeq.keys())
  }

  /** Takes a page of the history; of two copies of a message the newer one stays. */
  load(messages: readonly Message[]): void {
    for (const message of messages) this.#put(message)
  }

  /** Takes the answer of `GET /rooms/{room_id}/read`: who is in the room, and how far each has read at least. */
  loadPositions(positions: readonly { user_id: number; seq: number }[]): void {
    this.#positions.clear()
    for (const { user_id, seq } of positions) this.#join(user_id, seq)
  }

  /** Applies a frame; those of other rooms change nothing. Returns whether something changed. */
  apply(frame: StreamFrame): boolean {
    if (!('room_id' in frame.data) || frame.data.room_id !== this.roomId) return false
    switch (frame.event) {
      case 'message':
        this.#put(frame.data.message)
        // A line about a change of the room is nothing that its author has written, or read.
        if (frame.data.message.message_type !== 'system')
          this.#advance(frame.data.message.user_id, frame.data.seq)
        return true
      case 'message_updated':
        if (this.#bySeq.has(frame.data.message.seq)) this.#put(frame.data.message)
        return true
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
    this.#bySeq.set(message.seq, withPreview(message, this.#bySeq.get(message.reply_preview?.seq ?? 0)))
    for (const [seq, reply] of this.#bySeq) {
      if (reply.reply_preview?.seq === message.seq) this.#bySeq.set(seq, withPreview(reply, message))
    }
  }

  #advance(userId: number, seq: number): void {
    this.#heard.set(userId, Math.max(seq, this.#heard.get(userId) ?? 0))
    if (this.#positions.has(userId)) this.#join(userId, this.#positions.get(userId)!)
  }

  #join(userId: number, seq: number): void {
    this.#positions.set(userId, Math.max(seq, this.#heard.get(userId) ?? 0))
  }

  #hide(messageId: string): boolean {
    for (const [seq, message] of this.#bySeq) {
      if (message.message_id !== messageId) continue
      this.#bySeq.set(seq, hiddenMessage(message))
      return true
    }
    return false
  }

  #unreadOf(message: Message): number {
    let unread = 0
    for (const [userId, seq] of this.#positions) {
      if (userId !== message.user_id && seq < message.seq) unread++
    }
    return unread
  }
}

/**
 * Of an original that is held, the held copy is what a reply shows: a preview may be older, since the
 * two logs of a room have no order between them. One that is hidden for oneself tells nothing.
 */
function withPreview(message: Message, original: Message | undefined): Message {
  const { reply_preview } = message
  if (!reply_preview || original?.seq !== reply_preview.seq || original.deleted_for === 'me') return message
  const content = [...original.content].slice(0, PREVIEW_CHARACTERS).join('')
  return { ...message, reply_preview: { ...reply_preview, content, is_deleted: original.is_deleted } }
}
