import { Problem } from '@bigtech/service-kit'
import type { UnixMs } from '../messages/message.ts'
import { HeartbeatRounds } from './heartbeat-rounds.ts'
import type { StreamSession } from './stream-session.ts'

export interface StreamLimits {
  /** Maximum per user and process; a new stream replaces the oldest. */
  readonly perUser: number
  readonly perProcess: number
}

/** Delay that prevents replaced clients from replacing each other in a loop. */
const REPLACED_DELAY_MS = 60_000

/** The open streams of this process. */
export class StreamHub {
  readonly #limits: StreamLimits
  /** By user, oldest first. */
  readonly #byUser = new Map<number, Set<StreamSession>>()
  readonly #byId = new Map<string, StreamSession>()
  /** With acknowledgements, the least recently acknowledged first. */
  readonly #acknowledging = new Set<StreamSession>()
  /** With data that could not be sent immediately. */
  readonly #unsent = new Set<StreamSession>()
  readonly rounds = new HeartbeatRounds<StreamSession>()
  readonly #onCount: (userId: number) => void

  /** @param onCount called when a user's number of streams has changed */
  constructor(limits: StreamLimits, onCount: (userId: number) => void) {
    this.#limits = limits
    this.#onCount = onCount
  }

  get size(): number {
    return this.#byId.size
  }

  get userIds(): number[] {
    return [...this.#byUser.keys()]
  }

  get all(): StreamSession[] {
    return [...this.#byId.values()]
  }

  of(userId: number): readonly StreamSession[] {
    return [...(this.#byUser.get(userId) ?? [])]
  }

  /** Records that a client has read its stream until now; ignores a stream of another user. */
  acknowledge(streamId: string, userId: number): void {
    const session = this.#byId.get(streamId)
    if (session?.userId !== userId || !session.acknowledges) return
    session.acknowledge()
    this.#acknowledging.delete(session)
    this.#acknowledging.add(session)
  }

  noteUnsent(session: StreamSession): void {
    this.#unsent.add(session)
  }

  /**
   * Closes streams whose clients are lost. For clients without acknowledgements only a blocked connection can be observed.
   *
   * @param acksWorkSince when the path of acknowledgements was restored; undefined while interrupted
   */
  closeGone(goneAfterMs: number, acksWorkSince: UnixMs | undefined): void {
    const now = Date.now()
    for (const session of this.#unsent) {
      const stalledMs = session.stalledMs(now)
      if (stalledMs === 0) this.#unsent.delete(session)
      else if (stalledMs > goneAfterMs) session.close('unresponsive')
    }
    if (acksWorkSince === undefined) return
    for (const session of this.#acknowledging) {
      if (session.unacknowledgedMs(now, acksWorkSince) <= goneAfterMs) return
      if (session.state !== 'opening') session.close('unresponsive')
    }
  }

  /** Adds a stream. @throws Problem OVERLOADED */
  add(session: StreamSession): void {
    const { userId } = session
    const { perUser, perProcess } = this.#limits
    const oldest = this.of(userId)
    for (const surplus of oldest.slice(0, Math.max(0, oldest.length + 1 - perUser))) {
      const delay_ms = Math.floor(REPLACED_DELAY_MS * (1 + Math.random()))
      surplus.close('replaced', { event: 'reconnect', data: { delay_ms } })
    }
    if (this.size >= perProcess) throw new Problem('OVERLOADED', { retryAfterSeconds: 5 })
    const sessions = this.#byUser.get(userId) ?? new Set()
    this.#byUser.set(userId, sessions.add(session))
    this.#byId.set(session.id, session)
    if (session.acknowledges) this.#acknowledging.add(session)
    this.rounds.add(session)
    this.#onCount(userId)
  }

  remove(session: StreamSession): void {
    const { userId } = session
    const sessions = this.#byUser.get(userId)
    if (!sessions?.delete(session)) return
    if (sessions.size === 0) this.#byUser.delete(userId)
    this.#byId.delete(session.id)
    this.#acknowledging.delete(session)
    this.#unsent.delete(session)
    this.rounds.remove(session)
    this.#onCount(userId)
  }

  /** Closes the streams of ended sessions. */
  closeLogins(loginIds: readonly string[]): void {
    const ended = new Set(loginIds)
    for (const session of this.all) if (ended.has(session.loginId)) session.close('session_revoked')
  }
}
