import { everyTick, untilTick } from '@bigtech/kafka'
import type { Service } from '@bigtech/service-kit'
import { frame } from './frames.ts'
import type { RoomChannels } from './room-channels.ts'
import type { StreamAcks } from './stream-acks.ts'
import type { StreamHub } from './stream-hub.ts'
import { type ListVersionsOf, MARGIN_MS } from './stream-resume.ts'
import type { LastSweep } from './stream-session.ts'

export interface StreamJobsOptions {
  readonly hub: StreamHub
  readonly channels: RoomChannels
  /** Updated by each complete sweep. */
  readonly lastSweep: LastSweep
  readonly acks: StreamAcks
  readonly listVersions: ListVersionsOf
  /** Milliseconds of silence after which a client counts as lost. */
  readonly goneAfterMs: number
  readonly pubsub: {
    /** While hints are unavailable, the store is polled every second. */
    readonly hintsWork: boolean
    onHintsLost(listener: () => void): void
  }
  readonly log: Service['log']
}

const HEARTBEAT_ROUND_MS = 1_000
const SWEEP_MS = 5_000
const POLL_MS = 1_000
/** Each round checks a fraction of the users, so that clients do not all fetch at once. */
const LIST_ROUNDS = 10
const LIST_ROUND_MS = 1_000
/** Checks per `goneAfterMs`. */
const LOOKS = 10

/** Periodic work on open streams: heartbeats, the sweep for lost updates, list changes, lost clients. */
export class StreamJobs {
  readonly #options: StreamJobsOptions
  #sweepTimer: NodeJS.Timeout | undefined
  #stopHeartbeats: (() => void) | undefined
  #stopLooks: (() => void) | undefined
  #stopLists: (() => void) | undefined
  #listRound = 0
  #stopped = false

  constructor(options: StreamJobsOptions) {
    this.#options = options
  }

  start(): void {
    const { hub, acks, goneAfterMs, pubsub } = this.#options
    acks.start()
    this.#stopLooks = everyTick(goneAfterMs / LOOKS, () => hub.closeGone(goneAfterMs, acks.worksSince))
    let waitsLong = false
    const sweepIn = (ms: number) => {
      clearTimeout(this.#sweepTimer)
      waitsLong = ms > POLL_MS
      if (!this.#stopped) this.#sweepTimer = setTimeout(run, untilTick(ms))
    }
    const run = async () => {
      waitsLong = false
      await this.sweep()
      sweepIn(pubsub.hintsWork ? SWEEP_MS : POLL_MS)
    }
    sweepIn(POLL_MS)
    // Only shortens a long wait: a flapping connection must not postpone the sweep.
    pubsub.onHintsLost(() => waitsLong && sweepIn(POLL_MS))
    const isIdle = () => hub.size === 0
    this.#stopHeartbeats = everyTick(HEARTBEAT_ROUND_MS, () => this.heartbeat(), isIdle)
    let isTelling = false
    const lists = async () => {
      if (isTelling) return
      isTelling = true
      await this.tellListChanges()
      isTelling = false
    }
    this.#stopLists = everyTick(LIST_ROUND_MS, () => void lists(), isIdle)
  }

  stop(): void {
    this.#stopped = true
    this.#options.acks.stop()
    this.#stopLooks?.()
    this.#stopLists?.()
    clearTimeout(this.#sweepTimer)
    this.#stopHeartbeats?.()
  }

  /**
   * Delivers entries whose updates were lost. Afterwards every stream has received everything older than the
   * margin.
   */
  async sweep(): Promise<void> {
    const { channels, lastSweep, log } = this.#options
    const startedAt = Date.now()
    try {
      channels.closeIdle()
      await channels.verifyAll()
    } catch (err) {
      log.debug({ err }, 'stream sweep failed, retrying')
      return
    }
    lastSweep.startedAt = startedAt
    lastSweep.verifiedBefore = startedAt - MARGIN_MS
  }

  /** Compares the list versions announced to some of the users' clients with the current ones. */
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
      log.debug({ err }, 'reading list versions failed, retrying')
    }
  }

  /** Sends a heartbeat to the streams of the next round. */
  heartbeat(): void {
    const sessions = this.#options.hub.rounds.next()
    if (sessions.size === 0) return
    const at = new Date().toISOString()
    const quiet = frame('heartbeat', { at, heads: [] })
    for (const session of sessions) session.sendHeartbeat(at, quiet)
  }
}
