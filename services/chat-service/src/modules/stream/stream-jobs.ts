import type { Service } from '@bigtech/service-kit'
import type { RoomChannels } from './room-channels.ts'
import type { StreamAcks } from './stream-acks.ts'
import type { StreamHub } from './stream-hub.ts'
import { type ListVersionsOf, MARGIN_MS } from './stream-resume.ts'

export interface StreamJobsOptions {
  readonly hub: StreamHub
  readonly channels: RoomChannels
  readonly acks: StreamAcks
  readonly listVersions: ListVersionsOf
  /** A client that has been silent for longer counts as gone. */
  readonly goneAfterMs: number
  readonly pubsub: {
    /** While it does not work, the store is asked every second. */
    readonly hintsWork: boolean
    onHintsLost(listener: () => void): void
  }
  readonly log: Service['log']
}

const HEARTBEAT_MS = 15_000
const SWEEP_MS = 5_000
const POLL_MS = 1_000
/** Every user is looked at once in so many rounds, so that clients do not all fetch in the same moment. */
const LIST_ROUNDS = 10
const LIST_ROUND_MS = 1_000
/** How often, within the time after which a client counts as gone, it is looked for. */
const LOOKS = 10

/** What happens to all open streams periodically: heartbeats, the sweep for lost updates, changes of lists, clients that are gone. */
export class StreamJobs {
  readonly #options: StreamJobsOptions
  #sweepTimer: NodeJS.Timeout | undefined
  #heartbeatTimer: NodeJS.Timeout | undefined
  #goneTimer: NodeJS.Timeout | undefined
  #listTimer: NodeJS.Timeout | undefined
  #listRound = 0
  #stopped = false

  constructor(options: StreamJobsOptions) {
    this.#options = options
  }

  start(): void {
    const { acks, goneAfterMs, pubsub } = this.#options
    acks.start()
    this.#goneTimer = setInterval(() => this.#closeGone(), goneAfterMs / LOOKS)
    let waitsLong = false
    const sweepIn = (ms: number) => {
      clearTimeout(this.#sweepTimer)
      waitsLong = ms > POLL_MS
      if (!this.#stopped) this.#sweepTimer = setTimeout(run, ms)
    }
    const run = async () => {
      waitsLong = false
      await this.sweep()
      sweepIn(pubsub.hintsWork ? SWEEP_MS : POLL_MS)
    }
    sweepIn(POLL_MS)
    // Only shortens a long wait: a connection that fails again and again must not postpone the sweep.
    pubsub.onHintsLost(() => waitsLong && sweepIn(POLL_MS))
    this.#heartbeatTimer = setInterval(() => this.#heartbeat(), HEARTBEAT_MS)
    const lists = async () => {
      await this.tellListChanges()
      if (!this.#stopped) this.#listTimer = setTimeout(lists, LIST_ROUND_MS)
    }
    void lists()
  }

  stop(): void {
    this.#stopped = true
    this.#options.acks.stop()
    clearInterval(this.#goneTimer)
    clearTimeout(this.#listTimer)
    clearTimeout(this.#sweepTimer)
    clearInterval(this.#heartbeatTimer)
  }

  /** Delivers what no update told of. Every stream has then been sent everything older than a moment ago. */
  async sweep(): Promise<void> {
    const { channels, hub, log } = this.#options
    const startedAt = Date.now()
    try {
      channels.closeIdle()
      await channels.verify()
    } catch (err) {
      log.debug({ err }, 'streams could not be verified')
      return
    }
    for (const session of hub.all) {
      if (session.wasLiveAt(startedAt)) session.cursor.advance(startedAt - MARGIN_MS)
    }
  }

  /** Compares what some of the users' clients were told with what is true. */
  async tellListChanges(): Promise<void> {
    const { hub, listVersions, log } = this.#options
    const round = this.#listRound++ % LIST_ROUNDS
    const userIds = hub.userIds.filter((userId) => userId % LIST_ROUNDS === round)
    if (userIds.length === 0) return
    try {
      for (const [userId, versions] of await listVersions.of(userIds)) {
        for (const session of hub.of(userId)) session.tellListChanges(versions)
      }
    } catch (err) {
      log.debug({ err }, 'versions of lists could not be read')
    }
  }

  #heartbeat(): void {
    const at = new Date().toISOString()
    for (const session of this.#options.hub.all) {
      if (session.state === 'live') session.sendWithCursor('heartbeat', { at, heads: session.cursor.heads })
    }
  }

  #closeGone(): void {
    const { hub, acks, goneAfterMs } = this.#options
    const now = Date.now()
    for (const session of hub.all) {
      if (session.state !== 'opening' && session.silentMs(now, acks.worksSince) > goneAfterMs)
        session.close('unresponsive')
    }
  }
}
