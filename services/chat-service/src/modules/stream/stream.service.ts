import type { Service } from '@bigtech/service-kit'
import type { MessagesForStreams } from '../messages/messages.module.ts'
import type { MembershipChange, MembershipReader } from '../rooms/membership.ts'
import type { StreamConnection } from './connection.ts'
import { frame } from './frames.ts'
import { MARGIN_MS, type Plan, type StreamOpening } from './opening.ts'
import type { StreamRegistry } from './registry.ts'
import type { RoomFeeds } from './room-feeds.ts'

export interface StreamServiceOptions {
  readonly messages: MessagesForStreams
  readonly members: MembershipReader
  readonly feeds: RoomFeeds
  readonly opening: StreamOpening
  readonly registry: StreamRegistry
  readonly hints: {
    /** While they do not, the store is asked every second. */
    readonly hintsWork: boolean
    onHintsLost(listener: () => void): void
  }
  readonly log: Service['log']
}

const HEARTBEAT_MS = 15_000
const SWEEP_MS = 5_000
const POLL_MS = 1_000
const MAX_RECONNECT_DELAY_MS = 5_000

/** Keeps the open streams going: membership, heartbeats, the search for what was lost, the end. */
export class StreamService {
  readonly #options: StreamServiceOptions
  readonly #joinedAt = new WeakMap<StreamConnection, number>()
  /** What happened to the rooms of streams that have not begun yet, in order. */
  readonly #early = new WeakMap<StreamConnection, (() => void)[]>()
  #sweepTimer: NodeJS.Timeout | undefined
  #heartbeatTimer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: StreamServiceOptions) {
    this.#options = options
    options.members.onChange((change) => this.#membersChanged(change))
    options.members.onSettingsChange((roomId, userIds) => this.#settingsChanged(roomId, userIds))
  }

  start(): void {
    const { hints } = this.#options
    let patient = false
    const sweepIn = (ms: number) => {
      clearTimeout(this.#sweepTimer)
      patient = ms > POLL_MS
      if (!this.#stopped) this.#sweepTimer = setTimeout(sweep, ms)
    }
    const sweep = async () => {
      patient = false
      await this.sweep()
      sweepIn(hints.hintsWork ? SWEEP_MS : POLL_MS)
    }
    sweepIn(POLL_MS)
    // The pause is long only because hints came. Connections that fail again and again put nothing off.
    hints.onHintsLost(() => patient && sweepIn(POLL_MS))
    this.#heartbeatTimer = setInterval(() => this.#heartbeat(), HEARTBEAT_MS)
  }

  /**
   * Takes the stream in and works out where it starts.
   *
   * @throws Problem STREAM_LIMIT, OVERLOADED; StoreUnavailable while that cannot be found out.
   */
  async admit(connection: StreamConnection, lastEventId: string | undefined): Promise<Plan> {
    const { registry, opening } = this.#options
    registry.requireRoom(connection.userId)
    // Before it is looked up which rooms there are: a room that comes later is then not missed.
    registry.add(connection)
    this.#early.set(connection, [])
    try {
      return await opening.plan(connection.userId, lastEventId)
    } catch (err) {
      this.closed(connection)
      throw err
    }
  }

  /** Sends the first frame and what was missed, and lets the stream go on by itself. */
  async run(connection: StreamConnection, plan: Plan): Promise<void> {
    try {
      await this.#options.opening.run(connection, plan)
      for (const step of this.#early.get(connection) ?? []) step()
      this.#early.delete(connection)
      this.#joinedAt.set(connection, Date.now())
    } catch (err) {
      // The client resumes from where it is.
      this.#options.log.debug({ err, user_id: connection.userId }, 'stream could not be opened')
      connection.cut('failed')
    }
  }

  closed(connection: StreamConnection): void {
    connection.markClosed()
    this.#options.registry.remove(connection)
    this.#options.feeds.detach(connection)
  }

  /** Looks for what no hint told of. Then every stream has had everything older than a moment ago. */
  async sweep(): Promise<void> {
    const { feeds, registry, log } = this.#options
    const startedAt = Date.now()
    try {
      feeds.closeIdle()
      await feeds.verify()
    } catch (err) {
      log.debug({ err }, 'streams could not be verified')
      return
    }
    for (const connection of registry.all) {
      const joinedAt = this.#joinedAt.get(connection)
      if (joinedAt !== undefined && joinedAt < startedAt) connection.advance(startedAt - MARGIN_MS)
    }
  }

  /** Tells every client when to come back, spread out, and ends the streams. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#sweepTimer)
    clearInterval(this.#heartbeatTimer)
    for (const connection of this.#options.registry.all) {
      connection.sendFrame('reconnect', { delay_ms: Math.floor(Math.random() * MAX_RECONNECT_DELAY_MS) })
      connection.finish('shutdown')
    }
    this.#options.feeds.close()
  }

  #heartbeat(): void {
    const at = new Date().toISOString()
    for (const connection of this.#options.registry.all) {
      if (this.#joinedAt.has(connection))
        connection.sendWithCursor('heartbeat', { at, heads: connection.heads })
    }
  }

  #membersChanged({ roomId, added, removed }: MembershipChange): void {
    for (const userId of removed) this.#detach(roomId, userId)
    this.#each(removed, (connection) => {
      connection.forgetRoom(roomId)
      connection.sendFrame('room_removed', { room_id: roomId })
    })
    this.#each(added, (connection) => void this.#join(roomId, connection))
    void this.#tellMembers({ roomId, added, removed }).catch(() => undefined)
  }

  /** One's other devices: what is muted, pinned or archived on one of them is so on all. */
  #settingsChanged(roomId: number, userIds: readonly number[]): void {
    this.#each(userIds, (connection) =>
      connection.sendFrame('room_updated', { room_id: roomId, members: null }),
    )
  }

  /** A stream that is just opening has it after its first frame. */
  #each(userIds: readonly number[], step: (connection: StreamConnection) => void): void {
    for (const userId of userIds) {
      for (const connection of this.#options.registry.of(userId)) {
        const early = this.#early.get(connection)
        if (early) early.push(() => step(connection))
        else step(connection)
      }
    }
  }

  /** At once, before anything else can be delivered. */
  #detach(roomId: number, userId: number): void {
    const feed = this.#options.feeds.get(roomId)
    for (const connection of this.#options.registry.of(userId)) {
      feed?.detach(connection)
      connection.forgetRoom(roomId)
    }
  }

  async #join(roomId: number, connection: StreamConnection): Promise<void> {
    const { members, messages, opening, feeds, log } = this.#options
    const claim = connection.claim(roomId)
    // It is told of twice, by the hint and by the event.
    if (!claim) return
    try {
      await feeds.open([roomId])
      const membership = await members.find(roomId, connection.userId)
      const head = (await messages.rooms.of([roomId])).get(roomId)!
      if (!membership || !connection.holds(roomId, claim)) return
      connection.setProgress(roomId, { ...head, at: Date.now() })
      connection.sendWithCursor('room_added', { room_id: roomId, ...head })
      await opening.attach(connection, membership, head, claim)
    } catch (err) {
      log.debug({ err, room_id: roomId }, 'stream could not join a room')
      connection.cut('failed')
    }
  }

  async #tellMembers({ roomId, added, removed }: MembershipChange): Promise<void> {
    const { feeds, messages } = this.#options
    const feed = feeds.get(roomId)
    if (!feed) return
    const { positions } = await messages.reads.snapshot(roomId)
    const entries = added.map((user_id) => ({ user_id, seq: positions.get(user_id) ?? 0 }))
    feed.broadcast(
      frame('room_updated', { room_id: roomId, members: { added: entries, removed: [...removed] } }),
    )
  }
}
