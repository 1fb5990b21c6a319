import type { ContactsRepository } from '../contacts/contacts.repository.ts'
import type { PreferencesRepository } from '../preferences/preferences.repository.ts'
import { type Preferences, wantsMessage } from '../preferences/preferences.ts'
import { quietUntil } from '../preferences/quiet-hours.ts'
import type { RoomsRepository } from '../rooms/rooms.repository.ts'
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

/** Sends Web Push to every browser of a user. Rechecks the preferences before sending. */
export class PushChannel implements DeliveryChannel {
  readonly #deps: PushChannelDependencies

  constructor(dependencies: PushChannelDependencies) {
    this.#deps = dependencies
  }

  async attempt(delivery: Delivery): Promise<AttemptResult> {
    const { streams, preferences, subscriptions, client, now } = this.#deps
    const own = await preferences.find(delivery.userId)
    const unwanted = await this.#unwanted(delivery, own)
    if (unwanted) return { state: unwanted }
    const connected = await streams.connected([delivery.userId], now())
    if (connected.size > 0) return { state: 'connected' }
    const quiet = quietUntil(own.quietHours, now())
    if (quiet !== undefined) return { state: 'later', dueAt: quiet }
    const targets = await subscriptions.list(delivery.userId)
    if (targets.length === 0 || !client) return { state: 'no_subscription' }
    const notice = await this.#noticeOf(delivery, own)
    const outcomes = await Promise.all(targets.map((target) => this.#send(client, target, delivery, notice)))
    return resultOf(outcomes)
  }

  /** Returns the reason for not sending any more: quiet hours may have passed since planning. */
  async #unwanted(delivery: Delivery, own: Preferences): Promise<'disabled' | 'withdrawn' | undefined> {
    const { rooms, now } = this.#deps
    const { kind, roomId, userId, mentioned } = delivery
    if (kind !== 'message') return own.friendRequestPush ? undefined : 'disabled'
    const membership = roomId === null ? undefined : await rooms.membership(roomId, userId)
    if (!membership) return 'withdrawn'
    if (!wantsMessage(own, membership, mentioned, now())) return 'disabled'
    return (await this.#isFromRestricted(delivery)) ? 'disabled' : undefined
  }

  async #isFromRestricted({ userId, actorId, roomId }: Delivery): Promise<boolean> {
    const { contacts, rooms } = this.#deps
    if (actorId === null || roomId === null || !(await contacts.restricts(userId, actorId))) return false
    return (await rooms.find(roomId))?.roomType === 'direct'
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

/** One successful browser is sufficient: a retry would show it there twice. */
function resultOf(outcomes: readonly PushOutcome[]): AttemptResult {
  if (outcomes.includes('ok')) return { state: 'sent' }
  if (outcomes.includes('retry')) return { state: 'retry', error: 'push service unavailable' }
  if (outcomes.every((outcome) => outcome === 'gone')) return { state: 'no_subscription' }
  return { state: 'failed', error: 'rejected by the push service' }
}
