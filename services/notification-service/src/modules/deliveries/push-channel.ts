import type { ContactsRepository } from '../contacts/contacts.repository.ts'
import { pairOf } from '../contacts/contacts.ts'
import type { PreferencesRepository } from '../preferences/preferences.repository.ts'
import {
  defaultPreferences,
  type Muting,
  type Preferences,
  wantsMessage,
} from '../preferences/preferences.ts'
import { quietUntil } from '../preferences/quiet-hours.ts'
import type { RoomsRepository } from '../rooms/rooms.repository.ts'
import { membershipKey } from '../rooms/rooms.ts'
import type { StreamsRepository } from '../streams/streams.repository.ts'
import type { Subscription, SubscriptionsRepository } from '../subscriptions/subscriptions.repository.ts'
import type { AttemptResult, DeliveryChannel } from './channel.ts'
import { type Delivery, friendNotice, languageOf, messageNotice, type PushNotice } from './delivery.ts'
import type { PushOutcome, WebPushClient } from './web-push-client.ts'

export interface PushChannelDependencies {
  readonly contacts: ContactsRepository
  readonly preferences: PreferencesRepository
  readonly rooms: RoomsRepository
  readonly streams: StreamsRepository
  readonly subscriptions: SubscriptionsRepository
  /** Undefined without VAPID keys, in which case there are no subscriptions either. */
  readonly client: WebPushClient | undefined
  readonly now: () => number
}

/** What decides about a delivery when it is due. */
interface State {
  readonly own: Preferences
  readonly room: {
    /** Undefined for a user who is no member of the room. */
    readonly muting: Muting | undefined
    /** Whether the message is of a 1:1 room, from a user whom its receiver restricts. */
    readonly isFromRestricted: boolean
  }
  readonly isConnected: boolean
  readonly targets: readonly Subscription[]
}

/** Sends Web Push to every browser of a user. Rechecks the preferences before sending. */
export class PushChannel implements DeliveryChannel {
  readonly #deps: PushChannelDependencies

  constructor(dependencies: PushChannelDependencies) {
    this.#deps = dependencies
  }

  attempt(deliveries: readonly Delivery[]): readonly Promise<AttemptResult>[] {
    const reading = this.#read(deliveries)
    return deliveries.map(async (delivery): Promise<AttemptResult> => {
      const { now, client } = this.#deps
      const { own, room, isConnected, targets } = (await reading).get(delivery.id)!
      const unwanted = unwantedReason(delivery, own, room, now())
      if (unwanted) return { state: unwanted }
      if (isConnected) return { state: 'connected' }
      const quiet = quietUntil(own.quietHours, now())
      if (quiet !== undefined) return { state: 'later', dueAt: quiet }
      if (targets.length === 0 || !client) return { state: 'no_subscription' }
      const notice = await this.#noticeOf(delivery, own)
      const outcomes = await Promise.all(
        targets.map((target) => this.#send(client, target, delivery, notice)),
      )
      return resultOf(outcomes)
    })
  }

  /** Reads what decides about the deliveries, with one statement per table. */
  async #read(deliveries: readonly Delivery[]): Promise<ReadonlyMap<string, State>> {
    const { contacts, rooms, streams, preferences, subscriptions, now } = this.#deps
    const userIds = [...new Set(deliveries.map(({ userId }) => userId))]
    const members = deliveries.flatMap(({ roomId, userId }) => (roomId === null ? [] : [{ roomId, userId }]))
    const actorIds = deliveries.flatMap(({ actorId, roomId }) =>
      actorId === null || roomId === null ? [] : [actorId],
    )
    const [chosen, memberships, connected, targets, restrictions] = await Promise.all([
      preferences.findMany(userIds),
      rooms.memberships(members),
      streams.connected(userIds, now()),
      subscriptions.listMany(userIds),
      contacts.restrictions(userIds, [...new Set(actorIds)]),
    ])
    const states = new Map<string, State>()
    for (const delivery of deliveries) {
      const { id, userId, roomId, actorId } = delivery
      const isRestricted = actorId !== null && restrictions.has(pairOf(userId, actorId))
      states.set(id, {
        own: chosen.get(userId) ?? defaultPreferences,
        room: {
          muting: roomId === null ? undefined : memberships.get(membershipKey({ roomId, userId })),
          isFromRestricted: isRestricted && (await this.#isDirect(roomId)),
        },
        isConnected: connected.has(userId),
        targets: targets.get(userId) ?? [],
      })
    }
    return states
  }

  async #isDirect(roomId: number | null): Promise<boolean> {
    return roomId !== null && (await this.#deps.rooms.find(roomId))?.roomType === 'direct'
  }

  async #send(
    client: WebPushClient,
    target: Subscription,
    delivery: Delivery,
    notice: PushNotice,
  ): Promise<PushOutcome> {
    const outcome = await client.send(target, {
      payload: JSON.stringify({
        kind: delivery.kind,
        ...notice,
        room_id: delivery.roomId,
        count: delivery.eventCount,
        delivery_id: delivery.id,
      }),
      topic: delivery.roomId === null ? `${delivery.kind}-${delivery.actorId}` : `room-${delivery.roomId}`,
      urgency: delivery.kind === 'message' ? 'high' : 'normal',
    })
    if (outcome === 'gone') await this.#deps.subscriptions.remove(target.userId, target.id)
    return outcome
  }

  async #noticeOf(delivery: Delivery, own: Preferences): Promise<PushNotice> {
    const { contacts, rooms } = this.#deps
    const language = languageOf((await contacts.find(delivery.userId))?.locale)
    const name =
      delivery.actorId === null ? undefined : await contacts.nameFor(delivery.userId, delivery.actorId)
    if (delivery.kind === 'friend_request' || delivery.kind === 'friend_accepted') {
      return friendNotice(delivery.kind, name, language)
    }
    const room = delivery.roomId === null ? undefined : await rooms.find(delivery.roomId)
    return messageNotice(delivery, name, room, { language, showPreview: own.showPreview })
  }
}

/** Returns the reason for not sending any more: the user's choices may have changed since planning. */
function unwantedReason(
  { kind, mentioned }: Delivery,
  own: Preferences,
  { muting, isFromRestricted }: State['room'],
  now: number,
): 'disabled' | 'withdrawn' | undefined {
  if (kind !== 'message') return own.friendRequestPush ? undefined : 'disabled'
  if (!muting) return 'withdrawn'
  return isFromRestricted || !wantsMessage(own, muting, mentioned, now) ? 'disabled' : undefined
}

/** One successful browser is sufficient: a retry would show it there twice. */
function resultOf(outcomes: readonly PushOutcome[]): AttemptResult {
  if (outcomes.includes('ok')) return { state: 'sent' }
  if (outcomes.includes('retry')) return { state: 'retry', error: 'push service unavailable' }
  if (outcomes.every((outcome) => outcome === 'gone')) return { state: 'no_subscription' }
  return { state: 'failed', error: 'rejected by the push service' }
}
