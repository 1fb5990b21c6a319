import type { Message } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestRooms, type TestRooms } from '../../../testing/rooms.ts'
import { openTestStream, type Received, type TestStream } from '../../../testing/stream.ts'

let rooms: TestRooms

beforeAll(async () => {
  rooms = await startTestRooms()
}, 60_000)
afterAll(() => rooms?.close())

/** Seed of the random histories; set SEED to repeat a run. */
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
const choices = fc.sample(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
  seed,
  numRuns: 5_000,
})
let chosen = 0
const random = () => choices[chosen++ % choices.length]!
const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!

/** A client's copy of a room. */
interface HeldRoom {
  readonly messages: Map<number, Message>
  readonly positions: Map<number, number>
}

/** A reply shows the current copy of its original; nothing of one the viewer deleted for themselves. */
function withPreview(message: Message, original: Message | undefined): Message {
  const { reply_preview } = message
  if (!reply_preview || original?.seq !== reply_preview.seq) return message
  const { is_deleted } = original
  return {
    ...message,
    reply_preview: { ...reply_preview, content: is_deleted ? '' : original.content, is_deleted },
  }
}

/** Applies frames as docs/architecture/stream.md specifies; independent of the server. */
class Client {
  readonly userId: number
  readonly rooms = new Map<number, HeldRoom>()
  /** Rooms whose members changed: members and read positions must be fetched. */
  readonly stale = new Set<number>()

  constructor(userId: number) {
    this.userId = userId
  }

  apply({ event, data }: Received): void {
    if (event === 'message') {
      const { room_id, seq, message } = data
      const room = this.#room(room_id)
      this.#put(room, message)
      if (message.message_type === 'system') this.stale.add(room_id)
      else this.#read(room, message.user_id, seq)
    }
    if (event === 'message_updated') {
      const room = this.#room(data.room_id)
      this.#put(room, data.message)
    }
    if (event === 'message_hidden') {
      const room = this.#room(data.room_id)
      const held = [...room.messages.values()].find(({ message_id }) => message_id === data.message_id)
      if (held) {
        const nothing = {
          content: '',
          attachment: null,
          file: null,
          mentions: [],
          reactions: [],
          pinned_at: null,
          reply_preview: null,
        }
        this.#put(room, { ...held, ...nothing, is_deleted: true, deleted_for: held.deleted_for ?? 'me' })
      }
    }
    if (event === 'read') {
      for (const { user_id, seq } of data.positions) this.#read(this.#room(data.room_id), user_id, seq)
    }
  }

  #put(room: HeldRoom, message: Message): void {
    const { messages } = room
    messages.set(message.seq, withPreview(message, messages.get(message.reply_preview?.seq ?? 0)))
    for (const [seq, held] of messages) messages.set(seq, withPreview(held, message))
  }

  view(roomId: number): Message[] {
    const { messages, positions } = this.#room(roomId)
    return [...messages.values()]
      .sort((x, y) => x.seq - y.seq)
      .map((message) => {
        const unread = [...positions].filter(
          ([userId, seq]) => userId !== message.user_id && seq < message.seq,
        )
        return { ...message, unread_count: unread.length }
      })
  }

  setPositions(roomId: number, positions: { user_id: number; seq: number }[]): void {
    const room = this.#room(roomId)
    room.positions.clear()
    for (const { user_id, seq } of positions) room.positions.set(user_id, seq)
  }

  #read(room: HeldRoom, userId: number, seq: number): void {
    if ((room.positions.get(userId) ?? 0) < seq) room.positions.set(userId, seq)
  }

  #room(roomId: number): HeldRoom {
    const room = this.rooms.get(roomId) ?? { messages: new Map(), positions: new Map() }
    this.rooms.set(roomId, room)
    return room
  }
}

async function history(userId: number, roomId: number, process: number): Promise<Message[]> {
  const all: Message[] = []
  for (let after = 0; ; after = all.at(-1)!.seq) {
    const { body } = await rooms.as(
      userId,
      'GET',
      `/messages/${roomId}?after_seq=${after}&limit=100`,
      undefined,
      process,
    )
    all.push(...body.items)
    if (!body.next_cursor) return all
  }
}

async function randomStep(
  people: readonly number[],
  roomIds: readonly number[],
  viewer: number,
): Promise<void> {
  const roomId = pick(roomIds)
  const who = pick(people)
  const process = pick([0, 1])
  const heads = (await rooms.as(who, 'GET', `/messages/${roomId}?limit=50`, undefined, process)).body
    .items as Message[]
  const message = pick(heads)
  const url = message && `/messages/${roomId}/${message.message_id}`
  const emoji = encodeURIComponent(pick(['👍', '❤️', '😂']))
  const dice = random()
  const done = async () => {
    if (!message || dice < 0.3) {
      const reply = message && !message.is_deleted && random() < 0.5 ? { reply_to: message.message_id } : {}
      return rooms.as(who, 'POST', `/messages/${roomId}`, { content: `글 ${random()}`, ...reply }, process)
    }
    if (dice < 0.42) return rooms.as(message.user_id, 'PATCH', url, { content: `새 글 ${random()}` }, process)
    if (dice < 0.47) return rooms.as(message.user_id, 'DELETE', url, undefined, process)
    if (dice < 0.52) return rooms.as(pick([who, viewer]), 'DELETE', `${url}?for=me`, undefined, process)
    if (dice < 0.65)
      return rooms.as(pick([who, viewer]), 'PUT', `${url}/reactions/${emoji}`, undefined, process)
    if (dice < 0.72)
      return rooms.as(pick([who, viewer]), 'DELETE', `${url}/reactions/${emoji}`, undefined, process)
    if (dice < 0.77) return rooms.as(who, pick(['PUT', 'DELETE']), `${url}/pin`, undefined, process)
    return rooms.as(who, 'PUT', `/rooms/${roomId}/read`, { seq: message.seq }, process)
  }
  const { status, body } = await done()
  // Deleted in the meantime by another step; no other failure is allowed.
  if (status >= 300) expect(['MESSAGE_NOT_FOUND', 'FORBIDDEN'], JSON.stringify(body)).toContain(body.code)
}

it.each([1, 2, 3])(
  `a client that applies its stream equals a fresh fetch (history %i of seed ${seed})`,
  async () => {
    const people = await rooms.chat.people(4)
    const viewer = people[1]
    const roomIds = [await rooms.room(...people), await rooms.room(people[0], viewer)]
    const client = new Client(viewer)
    const token = await rooms.chat.token(viewer)
    let stream: TestStream | undefined
    let lastEventId: string | undefined
    const connect = async (process: number) => {
      stream = await openTestStream(rooms.addresses[process]!, {
        token,
        ...(lastEventId ? { lastEventId } : {}),
        onFrame: (frame) => client.apply(frame),
      })
      await waitFor(() => stream!.frames.length > 0)
      expect(stream.frames[0]!.event).toBe(lastEventId ? 'ready' : 'reset')
    }
    await connect(0)
    for (const roomId of roomIds) {
      client.setPositions(roomId, (await rooms.as(viewer, 'GET', `/rooms/${roomId}/read`)).body.items)
    }
    const workers = [0, 1, 2].map(async () => {
      for (let step = 0; step < 35; step++) {
        const room = pick(roomIds)
        await randomStep(room === roomIds[0] ? people : [people[0], viewer], [room], viewer)
      }
    })
    let working = true
    const working3 = Promise.all(workers).finally(() => {
      working = false
    })
    for (let turn = 1; working; turn++) {
      await new Promise((resolve) => setTimeout(resolve, random() * 400))
      stream!.kill()
      await waitFor(() => stream!.ended)
      lastEventId = stream!.lastEventId
      await connect(turn % 2)
    }
    await working3
    await waitFor(
      async () => {
        for (const roomId of roomIds) {
          for (const process of [0, 1]) {
            expect(client.view(roomId)).toEqual(await history(viewer, roomId, process))
          }
        }
        return true
      },
      { timeoutMs: 5_000 },
    )
    stream!.kill()
  },
  60_000,
)
