import { chatDataErased, messageType } from '@bigtech/contracts'
import { on } from '@bigtech/kafka'
import {
  openCustomOutbox,
  type RateLimiter,
  type Service,
  StoreMetrics,
  startAtZero,
} from '@bigtech/service-kit'
import type { Connection } from 'mongoose'
import { Counter } from 'prom-client'
import type { ChatConfig } from '../../config.ts'
import { MongoStore } from '../../infrastructure/mongo-store.ts'
import type { MembershipReader } from '../membership/membership.ports.ts'
import { ChangeWriter } from './changes/change-writer.ts'
import { MessagesOfUser } from './changes/erasure.ts'
import { Projection } from './changes/projection.repository.ts'
import { VersionRepository } from './changes/version.repository.ts'
import { documentReportHandlers } from './document-reports.consumers.ts'
import { MessageAppender } from './log/append.ts'
import type { MessageDocument } from './log/documents.ts'
import { MessageRepository } from './log/message.repository.ts'
import { RoomPositions } from './log/room-heads.repository.ts'
import { SystemMessageWriter } from './log/system-messages.ts'
import { MessageService } from './message.service.ts'
import type { MessageRecord } from './message.ts'
import { MessageAccess } from './message-access.ts'
import { MessageLimits } from './message-limits.ts'
import type { MessagesPort } from './messages.ports.ts'
import { messageRoutes } from './messages.routes.ts'
import { MessageOutboxStore } from './publishing/message-outbox.repository.ts'
import type { PublishHint } from './publishing/publish-backlog.ts'
import { HistoryService, type RestrictionsBetween } from './reading/history.service.ts'
import { MessageViews } from './reading/message.view.ts'
import { PageContextRepository } from './reading/page-context.repository.ts'
import { ReadPositionRepository } from './reading/read-positions.repository.ts'
import { ReadState } from './reading/read-state.ts'
import { RecentMessages } from './reading/recent-messages.ts'
import { RoomHeadsReader } from './reading/room-summaries.ts'
import { RoomSummaryRepository } from './reading/room-summary.repository.ts'
import { SenderPositions } from './reading/sender-positions.ts'
import { UnreadCountRepository } from './reading/unread-counts.repository.ts'
import { RoomUpdates } from './room-updates.ts'
import { createSearch, type SearchConfig } from './search/search.module.ts'
import { type MessageFiles, SendingService } from './sending.service.ts'
import { createStreamSource, type StreamSource } from './stream-source.ts'

export interface MessagesOptions {
  readonly service: Service
  readonly mongo: Connection
  readonly limiter: RateLimiter
  readonly members: MembershipReader
  readonly nameOf: (userId: number) => Promise<string>
  readonly restrictions: RestrictionsBetween
  readonly files: MessageFiles
  readonly config: SearchConfig & Pick<ChatConfig, 'DATABASE_URL' | 'SENDS_PER_10_SECONDS'>
}

export interface MessagesModule extends MessagesPort {
  readonly streamSource: StreamSource
}

const INDEX_RETRY_MS = 1_000
/** The relay publishes a busy room ten times a second: a shorter wait would wake the process after every message in between. */
const RELAY_GATHER_MS = 20
/** Only entries of a process that died before its hint wait this long. */
const RELAY_REST_MS = 2_000

/** Wires writing, reading, searching and publishing of messages. */
export async function createMessages(options: MessagesOptions): Promise<MessagesModule> {
  const { service, members } = options
  const store = new MongoStore(options.mongo, new StoreMetrics(service.metrics))
  const repository = new MessageRepository(store)
  const versions = new VersionRepository(store)
  const projection = new Projection(store, repository, versions)
  const positions = new ReadPositionRepository(store)
  const reads = new ReadState(positions, members)
  const rooms = new RoomPositions(store, repository)
  const counts = new UnreadCountRepository(store, repository)
  const views = new MessageViews(repository, projection, reads, members)
  const updates = new RoomUpdates()
  const limits = new MessageLimits(options.limiter, options.config.SENDS_PER_10_SECONDS)
  const senders = new SenderPositions(positions, (err) =>
    service.log.debug({ err }, 'storing read positions of senders failed'),
  )
  service.lifecycle.onStop('consumers', 'read positions of senders', () => senders.settle())
  const outbox = new MessageOutboxStore({ repository, projection, senders, rooms })
  const relay = openCustomOutbox(service, {
    name: 'messages',
    store: outbox,
    databaseUrl: options.config.DATABASE_URL,
    restMs: RELAY_REST_MS,
  })
  const wakeRelay = gathered(() => relay.wake())
  const publish = (hint: PublishHint, documents?: readonly MessageDocument[]) => {
    outbox.hint(hint, documents)
    wakeRelay()
  }
  const appender = new MessageAppender({
    log: repository.messages,
    findByClientId: (...key) => repository.findByClientId(...key),
    onStored: afterAppend(options, { senders, reads, updates, publish }),
  })
  const writer = new ChangeWriter({
    repository,
    projection,
    pinsIn: async (roomId) => (await repository.pinned(roomId, 100)).length,
    onStored: (roomId, changes) => {
      updates.emit({ roomId, changes })
      publish({ roomId, changes: { from: changes[0]!.cseq, to: changes.at(-1)!.cseq } })
    },
  })
  const ofUser = new MessagesOfUser(repository, versions, writer)
  const common = { repository, views, members, limits, updates }
  const access = new MessageAccess(common)
  const sending = new SendingService({ ...common, access, appender, files: options.files })
  const messages = new MessageService({ ...common, access, writer, versions })
  const recent = new RecentMessages(repository, projection)
  updates.onUpdate((update) => recent.follow(update))
  service.subscribeEveryProcess([on(chatDataErased, async () => recent.clear())])
  const search = await createSearch({ service, store, source: repository, config: options.config })
  const history = new HistoryService({
    ...common,
    positions,
    reads,
    search,
    restrictions: options.restrictions,
    pageContext: new PageContextRepository(store),
    recent,
  })
  service.app.register(messageRoutes, { sending, messages, history })
  service.subscribe(
    'document-reports',
    documentReportHandlers({ appender, repository, members, nameOf: options.nameOf }),
  )
  createIndexes(service, repository)
  return {
    systemMessages: new SystemMessageWriter(appender, repository, options.nameOf),
    heads: new RoomHeadsReader({ counts, repository, summaries: new RoomSummaryRepository(store) }),
    erasure: ofUser,
    export: ofUser,
    updates,
    streamSource: createStreamSource({ repository, projection, views, positions, reads, rooms, updates }),
  }
}

/** Runs the effects of a commit; none of them may fail or delay the response to the sender. */
function afterAppend(
  { service }: MessagesOptions,
  side: {
    senders: SenderPositions
    reads: ReadState
    updates: RoomUpdates
    publish: (hint: PublishHint, documents: readonly MessageDocument[]) => void
  },
) {
  const sent = new Counter({
    name: 'messages_sent_total',
    help: 'Messages stored.',
    labelNames: ['message_type'],
    registers: [service.metrics],
  })
  startAtZero(sent, { message_type: messageType.options })
  return (roomId: number, messages: readonly MessageRecord[], documents: readonly MessageDocument[]) => {
    for (const message of messages) sent.inc({ message_type: message.messageType })
    // Sending implies having read the earlier messages.
    side.reads.noteWritten(messages)
    side.updates.emit({ roomId, messages })
    const range = { from: messages[0]!.seq, to: messages.at(-1)!.seq }
    side.senders.add(messages)
    side.publish({ roomId, messages: range }, documents)
  }
}

/** Returns a function that runs the work 20 ms later, once for all calls until then. */
function gathered(work: () => void): () => void {
  let isScheduled = false
  return () => {
    if (isScheduled) return
    isScheduled = true
    setTimeout(() => {
      isScheduled = false
      work()
    }, RELAY_GATHER_MS)
  }
}

/** Creates the indexes in the background with retries: MongoDB need not be up when the process starts. */
function createIndexes(service: Service, repository: MessageRepository): void {
  let timer: NodeJS.Timeout | undefined
  const attempt = () => {
    repository.prepare().catch((err: unknown) => {
      service.log.debug({ err }, 'index creation failed, retrying')
      timer = setTimeout(attempt, INDEX_RETRY_MS)
    })
  }
  attempt()
  service.lifecycle.onStop('consumers', 'index creation', () => clearTimeout(timer))
}
