import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import type { ContactsRepository } from '../contacts/contacts.repository.ts'
import type { PreferencesRepository } from '../preferences/preferences.repository.ts'
import { defaultPreferences, type Preferences, wantsMessage } from '../preferences/preferences.ts'
import { quietUntil } from '../preferences/quiet-hours.ts'
import type { DeliveriesRepository, NewMessageDelivery, Recipient } from './deliveries.repository.ts'
import { previewOf } from './delivery.ts'
import type { MessageSent, WaitingMessagesRepository } from './waiting-messages.repository.ts'

export interface MessagePlannerDependencies {
  readonly mysql: Mysql
  readonly contacts: ContactsRepository
  readonly deliveries: DeliveriesRepository
  readonly waiting: WaitingMessagesRepository
  readonly preferences: PreferencesRepository
  readonly digestMs: number
  readonly now: () => number
}

/** Time after which a message is dropped when its room remains unknown. */
const GIVE_UP_AFTER_MS = 24 * 60 * 60 * 1_000
const RETRY_BATCH = 50

/** Decides which members are notified of a message, and when. */
export class MessagePlanner {
  readonly #deps: MessagePlannerDependencies

  constructor(dependencies: MessagePlannerDependencies) {
    this.#deps = dependencies
  }

  /** Plans a message in the transaction of the inbox row: planned once, or stored until its room is known. */
  async plan(tx: Tx, event: MessageSent): Promise<void> {
    const { contacts, deliveries, waiting, now } = this.#deps
    if (event.message_type === 'system') return
    // The two topics have no common order: a message may arrive after the erasure of its author.
    if (await contacts.isErased(tx, event.user_id)) return
    if (!(await deliveries.knowsRoom(tx, event.room_id))) return waiting.add(tx, event, now())
    await this.#planKnown(tx, event)
  }

  /** Retries messages whose room was unknown. Returns the number of dropped ones. */
  async retryWaiting(): Promise<number> {
    const { mysql, deliveries, waiting, now } = this.#deps
    let givenUp = 0
    for (const { event, createdAt } of await waiting.due(now(), RETRY_BATCH)) {
      const planned = await mysql.$transaction(async (tx) => {
        if (!(await deliveries.knowsRoom(tx, event.room_id))) return false
        if (await waiting.take(tx, event.event_id)) await this.#planKnown(tx, event)
        return true
      })
      if (planned) continue
      if (now() - createdAt.getTime() < GIVE_UP_AFTER_MS) await waiting.putOff(event.event_id, now())
      else if (await mysql.$transaction((tx) => waiting.take(tx, event.event_id))) givenUp++
    }
    return givenUp
  }

  async #planKnown(tx: Tx, event: MessageSent): Promise<void> {
    const { deliveries, preferences, now } = this.#deps
    const absent = await deliveries.absentMembers(tx, event.room_id, event.user_id, now())
    if (absent.length === 0) return
    const chosen = await preferences.findMany(
      absent.map(({ userId }) => userId),
      tx,
    )
    const planned = absent.flatMap((recipient) => {
      const own = chosen.get(recipient.userId) ?? defaultPreferences
      const wanted = wantsMessage(own, recipient, mentions(event, recipient.userId), now())
      return wanted ? [this.#deliveryFor(recipient, own, event)] : []
    })
    await deliveries.addMessages(tx, planned)
  }

  #deliveryFor(recipient: Recipient, own: Preferences, event: MessageSent): NewMessageDelivery {
    const { now, digestMs } = this.#deps
    const due = quietUntil(own.quietHours, now()) ?? now() + digestMs
    return {
      userId: recipient.userId,
      roomId: event.room_id,
      messageId: event.message_id,
      eventId: event.event_id,
      actorId: event.user_id,
      mentioned: mentions(event, recipient.userId),
      content: { from: event.username, text: previewOf(event.content), type: event.message_type },
      dueAt: new Date(due),
    }
  }
}

function mentions(event: MessageSent, userId: number): boolean {
  return event.mentions?.includes(userId) ?? false
}
