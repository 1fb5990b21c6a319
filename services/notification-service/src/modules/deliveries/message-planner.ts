import type { HotTransaction } from '@bigtech/stores'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { ContactsRepository } from '../contacts/contacts.repository.ts'
import { pairOf } from '../contacts/contacts.ts'
import type { PreferencesRepository } from '../preferences/preferences.repository.ts'
import { defaultPreferences, type Preferences, wantsMessage } from '../preferences/preferences.ts'
import { quietUntil } from '../preferences/quiet-hours.ts'
import type { DeliveriesRepository, NewMessageDelivery } from './deliveries.repository.ts'
import { type MessageContent, previewOf } from './delivery.ts'
import type { MessageSent, WaitingMessagesRepository } from './waiting-messages.repository.ts'

export interface MessagePlannerDependencies {
  readonly mysql: Mysql
  readonly contacts: ContactsRepository
  readonly deliveries: DeliveriesRepository
  readonly waiting: WaitingMessagesRepository
  readonly preferences: PreferencesRepository
  readonly digestMs: number
  /** Called after waiting messages were planned. */
  readonly onPlanned: () => void
  readonly now: () => number
}

/** Time after which a message is dropped when its room remains unknown. */
const GIVE_UP_AFTER_MS = 24 * 60 * 60 * 1_000
const RETRY_BATCH = 50
/** Bounds how late a message is retried that another process has stored. */
const LOOK_AGAIN_MS = 5_000
/** Covers the commit of a message that is stored by this process. */
const LOOK_EAGERLY_MS = 10_000

/** Decides which members are notified of a message, and when. */
export class MessagePlanner {
  readonly #deps: MessagePlannerDependencies
  /** When to look for waiting messages again, in the time of `performance`. */
  #lookAgainAt = 0
  #lookEagerlyUntil = 0

  constructor(dependencies: MessagePlannerDependencies) {
    this.#deps = dependencies
  }

  /**
   * Plans messages in the transaction of their inbox rows: planned once, or stored until their rooms are known. Messages of a room are merged
   * here, so that each member's row is written once.
   */
  async plan(tx: HotTransaction, events: readonly MessageSent[]): Promise<void> {
    const { contacts, deliveries, waiting, now } = this.#deps
    const written = events.filter((event) => event.message_type !== 'system')
    if (written.length === 0) return
    // The two topics have no common order: a message may arrive after the erasure of its author.
    const erased = await contacts.erasedAmong(
      tx,
      distinct(written, ({ user_id }) => user_id),
    )
    const kept = written.filter(({ user_id }) => !erased.has(user_id))
    const known = await deliveries.roomTypes(
      tx,
      distinct(kept, ({ room_id }) => room_id),
    )
    for (const event of kept) {
      if (known.has(event.room_id)) continue
      await waiting.add(tx, event, now())
      this.#lookEagerlyUntil = performance.now() + LOOK_EAGERLY_MS
    }
    await this.#planKnown(
      tx,
      kept.filter(({ room_id }) => known.has(room_id)),
      known,
    )
  }

  /** Retries messages whose room was unknown. Returns the number of dropped ones. */
  async retryWaiting(): Promise<number> {
    const { mysql, deliveries, waiting, now, onPlanned } = this.#deps
    if (performance.now() < this.#lookAgainAt && performance.now() > this.#lookEagerlyUntil) return 0
    const dueInMs = await waiting.dueInMs(now())
    this.#lookAgainAt = performance.now() + Math.min(dueInMs, LOOK_AGAIN_MS)
    if (dueInMs > 0) return 0
    let givenUp = 0
    for (const { event, createdAt } of await waiting.due(now(), RETRY_BATCH)) {
      const planned = await mysql.hotTransaction('planWaiting', async (tx) => {
        const known = await deliveries.roomTypes(tx, [event.room_id])
        if (known.size === 0) return false
        if (await waiting.take(tx, event.event_id)) await this.#planKnown(tx, [event], known)
        return true
      })
      if (planned) {
        onPlanned()
        continue
      }
      if (now() - createdAt.getTime() < GIVE_UP_AFTER_MS) await waiting.putOff(event.event_id, now())
      else if (await mysql.$transaction((tx) => waiting.take(tx, event.event_id))) givenUp++
    }
    return givenUp
  }

  async #planKnown(
    tx: HotTransaction,
    events: readonly MessageSent[],
    roomTypes: ReadonlyMap<number, string>,
  ): Promise<void> {
    const { contacts, deliveries, preferences, now } = this.#deps
    const roomIds = distinct(events, ({ room_id }) => room_id)
    const absent = await deliveries.absentMembers(tx, roomIds, now())
    const userIds = distinct([...absent.values()].flat(), ({ userId }) => userId)
    if (userIds.length === 0) return
    const chosen = await preferences.findMany(userIds, tx)
    const isDirect = ({ room_id }: MessageSent) => roomTypes.get(room_id) === 'direct'
    const directAuthors = distinct(events.filter(isDirect), ({ user_id }) => user_id)
    const restrictions = await contacts.restrictions(userIds, directAuthors, tx)
    const contentOf = contents()
    const byRoom = Map.groupBy(events, (event) => event.room_id)
    const planned = roomIds.flatMap((roomId) =>
      (absent.get(roomId) ?? []).flatMap((recipient) => {
        const inRoom = byRoom.get(roomId)!
        const { userId } = recipient
        const own = chosen.get(userId) ?? defaultPreferences
        const wanted = inRoom.filter(
          (event) =>
            event.user_id !== userId &&
            wantsMessage(own, recipient, mentions(event, userId), now()) &&
            !(isDirect(event) && restrictions.has(pairOf(userId, event.user_id))),
        )
        return wanted.length > 0 ? [this.#deliveryFor(userId, own, wanted, contentOf)] : []
      }),
    )
    await deliveries.addMessages(tx, planned)
  }

  #deliveryFor(
    userId: number,
    own: Preferences,
    events: readonly MessageSent[],
    contentOf: (event: MessageSent) => string,
  ): NewMessageDelivery {
    const { now, digestMs } = this.#deps
    const due = quietUntil(own.quietHours, now()) ?? now() + digestMs
    const last = events.at(-1)!
    return {
      userId,
      roomId: last.room_id,
      messageId: last.message_id,
      eventId: events[0]!.event_id,
      eventCount: events.length,
      actorId: last.user_id,
      mentioned: events.some((event) => mentions(event, userId)),
      content: contentOf(last),
      dueAt: new Date(due),
    }
  }
}

/** Returns a function that serializes the content of each message once, for all receivers. */
function contents(): (event: MessageSent) => string {
  const serialized = new Map<MessageSent, string>()
  return (event) => {
    const known = serialized.get(event)
    if (known !== undefined) return known
    const { username: from, content, message_type: type } = event
    const text = JSON.stringify({ from, text: previewOf(content), type } satisfies MessageContent)
    serialized.set(event, text)
    return text
  }
}

/** Returns the distinct numbers in ascending order: concurrent transactions lock rows in this order. */
function distinct<Item>(items: readonly Item[], numberOf: (item: Item) => number): number[] {
  return [...new Set(items.map(numberOf))].sort((a, b) => a - b)
}

function mentions(event: MessageSent, userId: number): boolean {
  return event.mentions?.includes(userId) ?? false
}
