import type { Publisher, Subscription } from '@bigtech/kafka'
import type { Service } from '@bigtech/service-kit'
import { Counter, Gauge } from 'prom-client'
import type { RateLimiter } from '../../plugins/rate-limiter.ts'
import type { ChatRedis } from '../../plugins/redis.ts'
import type { MessagesForStreams } from '../messages/messages.module.ts'
import type { MembershipReader } from '../rooms/membership.ts'
import { Flusher } from './flusher.ts'
import { RoomHints } from './hints.ts'
import { liveStreamHandlers } from './live-events.ts'
import { StreamOpening } from './opening.ts'
import { newInstanceId, PresencePublisher } from './presence-publisher.ts'
import { StreamRegistry } from './registry.ts'
import { RoomFeeds } from './room-feeds.ts'
import { streamRoutes } from './stream.routes.ts'
import { StreamService } from './stream.service.ts'
import { StreamTickets } from './tickets.ts'
import { TypingService } from './typing.service.ts'

export interface StreamModuleOptions {
  readonly service: Service
  readonly redis: ChatRedis
  readonly limiter: RateLimiter
  readonly publisher: Publisher
  readonly members: MembershipReader
  readonly messages: MessagesForStreams
  readonly friendIdsOf: (userId: number) => Promise<readonly number[]>
}

export interface StreamModule {
  /** For a consumer that gives every process all events. */
  readonly live: Subscription[]
  readonly streams: StreamService
  start(): void
}

const STREAMS_A_USER = 10
const STREAMS_A_PROCESS = 20_000

/** Wires what clients hear as it happens. */
export function createStream(options: StreamModuleOptions): StreamModule {
  const { service, redis, limiter, publisher, members, messages } = options
  const { log, metrics, lifecycle, authenticator, revocations } = service
  const instanceId = newInstanceId()
  const feeds = new RoomFeeds(messages, new RoomHints(redis, instanceId), log)
  const presence: PresencePublisher = new PresencePublisher({
    instanceId,
    openOf: (userId) => registry.of(userId).length,
    userIds: () => registry.userIds,
    publish: (definition, payload) =>
      publisher.publishEvent(definition, payload, { correlationId: instanceId }),
  })
  const limits = { perUser: STREAMS_A_USER, perProcess: STREAMS_A_PROCESS }
  const registry = new StreamRegistry(limits, (userId) => presence.changed(userId))
  const opening = new StreamOpening(messages, members, feeds)
  const streams = new StreamService({ messages, members, feeds, opening, registry, hints: redis, log })
  const counters = streamMetrics(metrics, registry)
  revocations.onRevoked((sessionIds) => registry.closeSessions(sessionIds, 'session_revoked'))
  service.app.register(streamRoutes, {
    streams,
    tickets: new StreamTickets(redis.commands),
    typing: new TypingService(members, (hint) => feeds.tell(hint)),
    limiter,
    authenticator,
    revocations,
    flusher: new Flusher(),
    onFrames: (count) => counters.frames.inc(count),
    onCut: (reason) => counters.cut.inc({ reason }),
  })
  lifecycle.onStop('streams', 'open streams', () => streams.stop())
  lifecycle.onStop('consumers', 'stream presence', () => presence.stop())
  return {
    live: liveStreamHandlers({ registry, feeds, friendIdsOf: options.friendIdsOf }),
    streams,
    start: () => {
      streams.start()
      presence.start()
    },
  }
}

function streamMetrics(registry: Service['metrics'], streams: StreamRegistry) {
  const registers = [registry]
  new Gauge({
    name: 'sse_connections_open',
    help: 'Event streams that are open.',
    registers,
    collect() {
      this.set(streams.size)
    },
  })
  return {
    frames: new Counter({ name: 'sse_frames_sent_total', help: 'Frames given to streams.', registers }),
    cut: new Counter({
      name: 'sse_streams_cut_total',
      help: 'Streams ended from this side.',
      labelNames: ['reason'],
      registers,
    }),
  }
}
