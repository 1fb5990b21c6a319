import type { FriendRequest } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import { type AuthenticatedContext, Problem } from '@bigtech/service-kit'
import type { FriendMetrics } from '../../metrics.ts'
import type { PeopleRepository } from '../people/people.repository.ts'
import type { PeopleService } from '../people/people.service.ts'
import type { FriendChangesRepository } from './friend-changes.repository.ts'
import type { FriendNotesRepository } from './friend-notes.repository.ts'
import { enqueuePairEvents } from './friendship.events.ts'
import type { FriendshipRepository, StoredPair } from './friendship.repository.ts'
import { type Action, decide, type PairEvent } from './friendship.ts'
import { type Pair, sideOf } from './pair.ts'

export interface FriendshipDependencies {
  readonly repository: FriendshipRepository
  readonly people: PeopleService
  readonly peopleRepository: Pick<PeopleRepository, 'lockAndFindErased'>
  readonly notes: Pick<FriendNotesRepository, 'takesRequests'>
  readonly changes: Pick<FriendChangesRepository, 'notePair'>
  readonly outbox: Outbox
  readonly metrics: FriendMetrics
  /** Wakes the relay after a commit. */
  readonly onCommitted: () => void
  /** Milliseconds; set by tests. */
  readonly now: () => number
}

type Tx = Parameters<Parameters<FriendshipRepository['transaction']>[0]>[0]

const EXPIRY_BATCH = 200
/** Some seconds of work, which bounds the shutdown. */
const MOST_EXPIRED_AT_ONCE = 1_000

interface Outcome {
  readonly low: number
  readonly high: number
  readonly pair: Pair
  readonly events: readonly PairEvent[]
}

/** The operations on friendships. Each is one transaction: lock, decide, store state and events. */
export class FriendshipService {
  readonly #deps: FriendshipDependencies

  constructor(dependencies: FriendshipDependencies) {
    this.#deps = dependencies
  }

  async sendFriendRequest(
    ctx: AuthenticatedContext,
    targetId: number,
    message: string | null = null,
    { isInvited = false } = {},
  ): Promise<FriendRequest> {
    const me = ctx.actor.userId
    if (targetId === me) throw new Problem('FRIEND_SELF')
    await this.#deps.people.requireKnown(targetId, ctx)
    const outcome = await this.#run(ctx, async (tx) => {
      const { repository } = this.#deps
      await repository.lockSender(tx, me)
      const isErased = await this.#isErased(tx, ctx, targetId)
      const stored = await repository.lockPair(tx, me, targetId)
      const nowMs = this.#deps.now()
      const { count, firstExpiresAt } = await repository.pendingOut(tx, me, nowMs)
      const newRequestId = await repository.newRequestId(tx)
      // Checked last, then rolled back: a deleted account must take as long to reject as a blocking one.
      if (isErased) throw new Problem('USER_NOT_FOUND')
      const isClosed = !isInvited && !(await this.#deps.notes.takesRequests(tx, targetId, me))
      const by = sideOf(me, targetId)
      const send: Action = { type: 'send', by, newRequestId, pendingOut: count, isClosed }
      const sent = await this.#apply(ctx, tx, stored, send, (firstExpiresAt - nowMs) / 1_000)
      if (sent.pair.request?.id === newRequestId) await repository.setRequestMessage(tx, stored, message)
      return sent
    })
    return requestView(outcome, outcome.pair.friendsSince === null ? 'pending' : 'accepted')
  }

  async acceptFriendRequest(ctx: AuthenticatedContext, requestId: number): Promise<FriendRequest> {
    return requestView(await this.#decideRequest(ctx, 'accept', requestId), 'accepted')
  }

  async rejectFriendRequest(ctx: AuthenticatedContext, requestId: number): Promise<FriendRequest> {
    return requestView(await this.#decideRequest(ctx, 'reject', requestId), 'rejected')
  }

  async cancelFriendRequest(ctx: AuthenticatedContext, requestId: number): Promise<void> {
    await this.#decideRequest(ctx, 'cancel', requestId)
  }

  async removeFriend(ctx: AuthenticatedContext, friendId: number): Promise<void> {
    const me = ctx.actor.userId
    await this.#run(ctx, async (tx) => {
      const stored = await this.#deps.repository.lockExistingPair(tx, me, friendId)
      if (!stored) throw new Problem('FRIENDSHIP_NOT_FOUND')
      return this.#apply(ctx, tx, stored, { type: 'remove', by: sideOf(me, friendId) })
    })
  }

  blockUser(ctx: AuthenticatedContext, targetId: number): Promise<void> {
    return this.#setFlag(ctx, targetId, 'block')
  }

  unblockUser(ctx: AuthenticatedContext, targetId: number): Promise<void> {
    return this.#liftFlag(ctx, targetId, 'unblock')
  }

  restrictUser(ctx: AuthenticatedContext, targetId: number): Promise<void> {
    return this.#setFlag(ctx, targetId, 'restrict')
  }

  unrestrictUser(ctx: AuthenticatedContext, targetId: number): Promise<void> {
    return this.#liftFlag(ctx, targetId, 'unrestrict')
  }

  async #setFlag(ctx: AuthenticatedContext, targetId: number, type: 'block' | 'restrict'): Promise<void> {
    const me = ctx.actor.userId
    if (targetId === me) throw new Problem('FRIEND_SELF')
    await this.#deps.people.requireKnown(targetId, ctx)
    await this.#run(ctx, async (tx) => {
      // Same response as for a user blocked by the target, so that a block is indistinguishable from a
      // deleted account.
      if (await this.#isErased(tx, ctx, targetId)) return undefined
      const stored = await this.#deps.repository.lockPair(tx, me, targetId)
      return this.#apply(ctx, tx, stored, { type, by: sideOf(me, targetId) })
    })
  }

  async #liftFlag(
    ctx: AuthenticatedContext,
    targetId: number,
    type: 'unblock' | 'unrestrict',
  ): Promise<void> {
    const me = ctx.actor.userId
    await this.#run(ctx, async (tx) => {
      const stored = await this.#deps.repository.lockExistingPair(tx, me, targetId)
      return stored && this.#apply(ctx, tx, stored, { type, by: sideOf(me, targetId) })
    })
  }

  /** Expires due requests, for consumers that rely on events. Returns the number of pairs examined. */
  async expireDue(log: AuthenticatedContext['log']): Promise<number> {
    const { repository, now } = this.#deps
    for (let total = 0; ; ) {
      const due = await repository.findExpired(now(), EXPIRY_BATCH)
      for (const { low, high } of due) {
        const requestId = `expiry-${low}-${high}`
        await this.#run({ requestId, log }, async (tx) => {
          const stored = await repository.lockExistingPair(tx, low, high)
          return stored && this.#apply({ requestId }, tx, stored, { type: 'expire' })
        })
      }
      total += due.length
      if (due.length < EXPIRY_BATCH || total >= MOST_EXPIRED_AT_ONCE) return total
    }
  }

  async #decideRequest(
    ctx: AuthenticatedContext,
    type: 'accept' | 'reject' | 'cancel',
    requestId: number,
  ): Promise<Outcome> {
    const me = ctx.actor.userId
    return this.#run(ctx, async (tx) => {
      const stored = await this.#deps.repository.lockPairOfRequest(tx, requestId)
      // A request of other users gets the same response as an unknown one.
      if (!stored || (stored.low !== me && stored.high !== me)) throw new Problem('FRIEND_REQUEST_NOT_FOUND')
      const by = stored.low === me ? 'low' : 'high'
      return this.#apply(ctx, tx, stored, { type, by, requestId })
    })
  }

  /** Runs a transaction and the actions after its commit. */
  async #run<Result extends Outcome | undefined>(
    ctx: Pick<AuthenticatedContext, 'requestId' | 'log'>,
    work: (tx: Tx) => Promise<Result>,
  ): Promise<Result> {
    const outcome = await this.#deps.repository.transaction(work)
    if (outcome && outcome.events.length > 0) {
      this.#deps.onCommitted()
      for (const event of outcome.events) {
        this.#deps.metrics.count(event.type)
        ctx.log.info({ event: event.type, low: outcome.low, high: outcome.high }, 'pair changed')
      }
    }
    return outcome
  }

  async #apply(
    ctx: Pick<AuthenticatedContext, 'requestId'>,
    tx: Tx,
    stored: StoredPair,
    action: Action,
    retryAfterSeconds?: number,
  ): Promise<Outcome> {
    const { repository, outbox, now } = this.#deps
    const nowMs = now()
    const decision = decide(stored.pair, action, nowMs)
    if (!decision.ok) {
      const limited = decision.refusal === 'FRIEND_REQUEST_LIMIT' && retryAfterSeconds !== undefined
      throw new Problem(decision.refusal, limited ? { retryAfterSeconds } : {})
    }
    const { pair, events } = decision
    const { low, high } = stored
    const version = pair === stored.pair ? stored.version : await repository.save(tx, stored, pair)
    const meta = { correlationId: ctx.requestId, timestamp: new Date(nowMs) }
    if (pair.friendsSince !== stored.pair.friendsSince) await this.#deps.changes.notePair(tx, low, high)
    await enqueuePairEvents(outbox, tx, { low, high, version }, events, meta)
    return { low, high, pair, events }
  }

  /** Returns whether the account is erased: its token may outlive it briefly, and the account must not reappear. */
  async #isErased(tx: Tx, { actor }: AuthenticatedContext, targetId: number): Promise<boolean> {
    const erased = await this.#deps.peopleRepository.lockAndFindErased(tx, actor, targetId)
    if (erased.includes(actor.userId)) throw new Problem('SESSION_REVOKED')
    return erased.includes(targetId)
  }
}

function requestView(outcome: Outcome, status: FriendRequest['status']): FriendRequest {
  const { low, high, pair } = outcome
  const { request } = pair
  if (!request) throw new Error('the decided request does not exist')
  return {
    request_id: request.id,
    from_user_id: request.from === 'low' ? low : high,
    to_user_id: request.from === 'low' ? high : low,
    status,
    created_at: new Date(request.sentAt).toISOString(),
    expires_at: new Date(request.expiresAt).toISOString(),
  }
}
