import type { Message } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import mongoose, { type mongo } from 'mongoose'
import type { ChatConfig } from '../src/config.ts'
import { checkPublished } from '../src/modules/messages/publishing/published-check.repository.ts'
import { type BlockDocument, versionsOf } from '../src/modules/messages/search/search-blocks.ts'
import { type Answer, startTestChat, type TestChat } from './chat.ts'
import { type FakeMediaService, startFakeMediaService } from './fake-media-service.ts'

export interface TestRooms {
  readonly chat: TestChat
  readonly media: FakeMediaService
  /** The listen addresses of the processes. */
  readonly addresses: readonly string[]
  /** Creates a group of friends owned by the first user. */
  room(...members: number[]): Promise<number>
  /** Sends a request as a user to one of the processes. */
  as(userId: number, method: string, url: string, body?: unknown, process?: number): Promise<Answer>
  /** Sends a message and expects success. */
  send(userId: number, roomId: number, body: string | object, process?: number): Promise<Message>
  /** Waits until the search index includes the room's newest message and its last edit. */
  indexed(roomId: number): Promise<void>
  /** The message database, for inspection. */
  readonly db: mongo.Db
  close(): Promise<void>
}

/** Starts two processes of chat-service on stores of their own, and a fake media-service. */
export async function startTestRooms(overrides: Partial<ChatConfig> = {}): Promise<TestRooms> {
  const media = await startFakeMediaService()
  const config = { SENDS_PER_10_SECONDS: 100_000, MEDIA_SERVICE_URL: media.url, ...overrides }
  const chat = await startTestChat(config)
  await chat.another()
  await chat.untilReady()
  const connection = await mongoose.createConnection(chat.config.MONGO_URL).asPromise()
  const as = (userId: number, method: string, url: string, body?: unknown, process = 0) =>
    chat.as(userId, method, url, body, chat.services[process])
  return {
    chat,
    media,
    addresses: chat.services.map(({ app }) => app.listeningOrigin),
    as,
    room: async (owner, ...others) => {
      await chat.befriend(owner!, ...others)
      const { status, body } = await as(owner!, 'POST', '/rooms', { name: 'test', member_ids: others })
      if (status !== 201) throw new Error(`no room: ${JSON.stringify(body)}`)
      return body.room_id
    },
    send: async (userId, roomId, message, process = 0) => {
      const body = typeof message === 'string' ? { content: message } : message
      const answer = await as(userId, 'POST', `/messages/${roomId}`, body, process)
      if (answer.status !== 201) throw new Error(`not sent: ${answer.status} ${JSON.stringify(answer.body)}`)
      return answer.body
    },
    indexed: (roomId) => untilIndexed(connection.db!, roomId),
    db: connection.db!,
    close: async () => {
      await connection.close()
      await chat.close()
      await media.close()
    },
  }
}

async function untilIndexed(db: mongo.Db, roomId: number): Promise<void> {
  await waitFor(async () => {
    const messages = await db
      .collection<{ _id: string; cseq: number }>('messages')
      .find({ room_id: roomId, message_type: { $ne: 'system' } })
      .toArray()
    const blocks = await db.collection<BlockDocument>('search_blocks').find({ room_id: roomId }).toArray()
    const versions = new Map(blocks.flatMap((block) => [...versionsOf(block)]))
    return messages.every(({ _id, cseq }) => versions.get(_id) === cseq)
  })
}

/** Resolves when all entries of a room, or of all rooms, are published. */
export async function untilPublished(db: mongo.Db, roomId?: number): Promise<void> {
  const isBehind = (finding: { roomId: number }) => roomId === undefined || finding.roomId === roomId
  await waitFor(async () => !(await checkPublished(db, { fix: false })).some(isBehind), {
    timeoutMs: 30_000,
    what: 'everything to be published',
  })
}

/** Store requests of publishing, indexing, settled limits and periodic jobs, which run beside the requests of a test. */
export const BACKGROUND =
  /^mongodb ((heads|checkpoint|outbox|search)\.|(messages|room_changes)\.(note|by_position|created|to_publish|after|head)$|positions\.advance$)|^redis rateLimit$|^mysql (room_activity|contact_mutes)/

/** Returns 1, 2, ... up to n. */
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1)
