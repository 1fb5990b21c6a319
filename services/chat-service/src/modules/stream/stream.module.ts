import { type RateLimiter, type Service, startAtZero } from '@bigtech/service-kit'
import { Counter, Gauge, Histogram } from 'prom-client'
import type { ChatRedis } from '../../infrastructure/redis.ts'
import type { MembershipReader } from '../membership/membership.ports.ts'
import type { StreamSource } from '../messages/stream-source.ts'
import { type LiveRelations, liveStreamHandlers } from './live-events.ts'
import { newInstanceId, PresencePublisher } from './presence-publisher.ts'
import { RoomPubSub } from './pubsub.ts'
import { RoomChannels } from './room-channels.ts'
import { RoomReplay } from './room-replay.ts'
import { streamRoutes } from './stream.routes.ts'
import { StreamService } from './stream.service.ts'
import { StreamAcks } from './stream-acks.ts'
import { StreamHub } from './stream-hub.ts'
import { StreamJobs } from './stream-jobs.ts'
import { type ListVersionsOf, StreamResume } from './stream-resume.ts'
import { cutReasons, type LastSweep, type StreamHost } from './stream-session.ts'
import { StreamTickets } from './tickets.ts'
import { type TypingRestrictions, TypingService } from './typing.service.ts'
import { WriteBatcher } from './write-batcher.ts'

export interface StreamModuleOptions {
  readonly service: Service
  readonly redis: ChatRedis
  readonly limiter: RateLimiter
  readonly members: MembershipReader
  readonly messages: StreamSource
  readonly listVersions: ListVersionsOf
  /** Milliseconds of silence after which a client counts as lost. */
  readonly goneAfterMs: number
  readonly relations: LiveRelations & TypingRestrictions
}

const STREAMS_PER_USER = 10
const STREAMS_PER_PROCESS = 20_000
const ACK_PROBES = 10

/** Wires the event streams of clients. */
export function createStream(options: StreamModuleOptions): void {
  const { service, redis, limiter, members, messages } = options
  const { log, lifecycle, revocations } = service
  const instanceId = newInstanceId()
  const presence: PresencePublisher = new PresencePublisher({
    instanceId,
    openOf: (userId) => hub.of(userId).length,
    userIds: () => hub.userIds,
    publish: (definition, payload) =>
      service.messaging.publisher.publishEvent(definition, payload, { correlationId: instanceId }),
  })
  const limits = { perUser: STREAMS_PER_USER, perProcess: STREAMS_PER_PROCESS }
  const hub = new StreamHub(limits, (userId) => presence.changed(userId))
  const batcher = new WriteBatcher()
  const channels = new RoomChannels(new RoomPubSub(redis, instanceId), {
    messages,
    members,
    log,
    onDelivered: deliveryTimer(service.metrics, batcher),
  })
  const replay = new RoomReplay(messages, members, channels)
  const { listVersions, goneAfterMs } = options
  const resume = new StreamResume({ messages, members, channels, replay, listVersions })
  const streams = new StreamService({ messages, members, channels, resume, replay, hub, log })
  const acks = new StreamAcks({
    pubsub: redis,
    instanceId,
    note: (streamId, userId) => hub.acknowledge(streamId, userId),
    probeEveryMs: goneAfterMs / ACK_PROBES,
  })
  const lastSweep: LastSweep = { startedAt: 0, verifiedBefore: 0 }
  const jobs = new StreamJobs({
    hub,
    channels,
    lastSweep,
    acks,
    listVersions,
    goneAfterMs,
    pubsub: redis,
    log,
  })
  revocations.onRevoked((loginIds) => hub.closeLogins(loginIds))
  service.app.register(streamRoutes, {
    streams,
    acks,
    tickets: new StreamTickets(redis.commands),
    typing: new TypingService(members, options.relations, (hint) => channels.publish(hint)),
    limiter,
    revocations,
    batcher,
    host: createHost(service.metrics, hub, lastSweep),
  })
  lifecycle.onStop('streams', 'open streams', () => {
    jobs.stop()
    streams.stop()
  })
  lifecycle.onStop('consumers', 'stream presence', () => presence.stop())
  service.subscribeEveryProcess(liveStreamHandlers({ hub, channels, relations: options.relations }))
  service.onStart(() => {
    jobs.start()
    presence.start()
  })
}

/** Measures each message once per process, when it is written to that process's streams. */
function deliveryTimer(registry: Service['metrics'], batcher: WriteBatcher) {
  const delay = new Histogram({
    name: 'message_delivery_duration_seconds',
    help: 'Time from the acceptance of a message until it is written to the open streams of a process.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
    registers: [registry],
  })
  return (createdAt: number) =>
    // The clock of the accepting process may be ahead.
    batcher.afterWrites(() => delay.observe(Math.max(0, Date.now() - createdAt) / 1_000))
}

/** Returns what streams share: the hub and its metrics. */
function createHost(registry: Service['metrics'], hub: StreamHub, lastSweep: LastSweep): StreamHost {
  const registers = [registry]
  new Gauge({
    name: 'sse_connections_open',
    help: 'Open event streams.',
    registers,
    collect() {
      this.set(hub.size)
    },
  })
  let framesSent = 0
  new Counter({
    name: 'sse_frames_sent_total',
    help: 'Frames queued on streams.',
    registers,
    // Counted here: the metric's own `inc` for each delivery costs more than the frame.
    collect() {
      this.reset()
      this.inc(framesSent)
    },
  })
  const cut = new Counter({
    name: 'sse_streams_cut_total',
    help: 'Streams closed by the server.',
    labelNames: ['reason'],
    registers,
  })
  startAtZero(cut, { reason: cutReasons })
  return {
    lastSweep,
    onFrame: () => void framesSent++,
    onUnsent: (session) => hub.noteUnsent(session),
    onClosed: (session, reason) => {
      hub.remove(session)
      if (reason !== 'client_gone') cut.inc({ reason })
    },
  }
}
