import { Problem, type Service } from '@bigtech/service-kit'
import type { MembershipChange, MembershipReader } from '../membership/membership.ports.ts'
import type { StreamSource } from '../messages/stream-source.ts'
import { frame } from './frames.ts'
import type { RoomChannels } from './room-channels.ts'
import type { RoomReplay } from './room-replay.ts'
import { RoomSubscription } from './room-subscription.ts'
import type { StreamHub } from './stream-hub.ts'
import type { ResumePlan, StreamResume } from './stream-resume.ts'
import type { CloseReason, StreamSession } from './stream-session.ts'

export interface StreamServiceOptions {
  readonly messages: StreamSource
  readonly members: MembershipReader
  readonly channels: RoomChannels
  readonly resume: StreamResume
  readonly replay: RoomReplay
  readonly hub: StreamHub
  readonly log: Service['log']
}

const MAX_RECONNECT_DELAY_MS = 5_000

/** Manages streams from opening to end, and keeps their rooms consistent with the memberships. */
export class StreamService {
  readonly #options: StreamServiceOptions

  constructor(options: StreamServiceOptions) {
    this.#options = options
    options.members.onChange((change) => this.#membersChanged(change))
    options.members.onSettingsChange((roomId, userIds) => this.#settingsChanged(roomId, userIds))
  }

  /**
   * Admits a stream and determines its start position.
   *
   * @throws Problem OVERLOADED, or the reason why the stream was closed in the meantime; StoreUnavailable
   */
  async admit(session: StreamSession, lastEventId: string | undefined): Promise<ResumePlan> {
    const { hub, resume } = this.#options
    // Before the memberships are read, so that no later change is missed.
    hub.add(session)
    const plan = await resume.plan(session.userId, lastEventId).catch((err: unknown) => {
      session.close('failed')
      throw err
    })
    if (session.closeReason) throw refusal(session.closeReason)
    return plan
  }

  /** Sends the first frame and the missed ones, then the stream goes live. Never rejects. */
  async run(session: StreamSession, plan: ResumePlan): Promise<void> {
    try {
      await this.#options.resume.run(session, plan)
      session.goLive()
    } catch (err) {
      this.#options.log.debug({ err, user_id: session.userId }, 'stream catch-up failed')
      session.close('failed')
    }
  }

  /** Sends every client a reconnect delay, spread out, and ends the streams. */
  stop(): void {
    for (const session of this.#options.hub.all) {
      const delay_ms = Math.floor(Math.random() * MAX_RECONNECT_DELAY_MS)
      session.close('shutdown', { event: 'reconnect', data: { delay_ms } })
    }
    this.#options.channels.close()
  }

  #membersChanged(change: MembershipChange): void {
    const { roomId, added, removed } = change
    for (const session of this.#sessionsOf(removed)) {
      // Immediately, before another frame can be delivered. Changes arrive twice, by event and by hint.
      const had = session.unsubscribe(roomId)
      session.whenLive(() => {
        if (session.unsubscribe(roomId) || had) session.sendFrame('room_removed', { room_id: roomId })
      })
    }
    for (const session of this.#sessionsOf(added)) session.whenLive(() => void this.#join(roomId, session))
    void this.#broadcastMembers(change).catch(() => undefined)
  }

  /** Notifies the user's other devices of changed room settings. */
  #settingsChanged(roomId: number, userIds: readonly number[]): void {
    const block = frame('room_updated', { room_id: roomId, members: null })
    for (const session of this.#sessionsOf(userIds)) session.send(block)
  }

  #sessionsOf(userIds: readonly number[]): StreamSession[] {
    return userIds.flatMap((userId) => this.#options.hub.of(userId))
  }

  async #join(roomId: number, session: StreamSession): Promise<void> {
    const { members, messages, replay, channels, log } = this.#options
    try {
      const membership = await members.find(roomId, session.userId)
      if (!membership) return
      const subscription = new RoomSubscription(session, membership)
      if (!session.subscribe(subscription)) return
      await channels.open([roomId])
      const head = (await messages.headsOf([roomId])).get(roomId)!
      if (!subscription.active) return
      session.cursor.set(roomId, { ...head, at: Date.now() })
      session.sendWithCursor('room_added', { room_id: roomId, ...head })
      await replay.run(subscription, head)
    } catch (err) {
      log.debug({ err, room_id: roomId }, 'joining a room failed')
      session.close('failed')
    }
  }

  async #broadcastMembers({ roomId, added, removed }: MembershipChange): Promise<void> {
    const channel = this.#options.channels.get(roomId)
    if (!channel) return
    const positions = await this.#options.messages.readPositions(roomId)
    const entries = added.map((user_id) => ({ user_id, seq: positions.get(user_id) ?? 0 }))
    channel.broadcast(
      frame('room_updated', { room_id: roomId, members: { added: entries, removed: [...removed] } }),
    )
  }
}

/** Returns the problem for a client whose stream was closed before it was open. */
function refusal(reason: CloseReason): Problem {
  if (reason === 'session_revoked') return new Problem('SESSION_REVOKED')
  if (reason === 'shutdown') return new Problem('SHUTTING_DOWN', { retryAfterSeconds: 1 })
  return new Problem('OVERLOADED', { retryAfterSeconds: 5 })
}
