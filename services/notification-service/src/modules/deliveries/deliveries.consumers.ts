import {
  accountMailRequested,
  type EventBase,
  friendRequestAccepted,
  friendRequestCancelled,
  friendRequestRejected,
  friendRequestSent,
  messageDeleted,
  messageEdited,
  messageSent,
} from '@bigtech/contracts'
import { on, onMany, type Subscription } from '@bigtech/kafka'
import { applyOnce, onceForAll } from '@bigtech/outbox'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import type { DeliveriesRepository } from './deliveries.repository.ts'
import { previewOf } from './delivery.ts'
import type { MessagePlanner } from './message-planner.ts'
import type { WaitingMessagesRepository } from './waiting-messages.repository.ts'

const CONSUMER = 'deliveries'
/** Minimum interval between notifications about requests of the same two users. */
const FRIEND_NOTICE_EVERY_MS = 24 * 60 * 60 * 1_000

export interface DeliveriesConsumersDependencies {
  readonly mysql: Mysql
  readonly deliveries: DeliveriesRepository
  readonly waiting: WaitingMessagesRepository
  readonly planner: MessagePlanner
  readonly now: () => number
  /** Called after a commit that may have planned a delivery, with the time until it is due. */
  readonly onPlanned: (dueInMs: number) => void
  /** The time until a push for a message is due. */
  readonly digestMs: number
}

/**
 * Returns the handlers that turn events into deliveries, in one transaction with the inbox rows. Sends
 * nothing, so that a crash can neither lose a delivery nor plan it twice.
 */
export function deliveriesConsumers(dependencies: DeliveriesConsumersDependencies): Subscription[] {
  const { mysql, deliveries, waiting, planner, now, onPlanned, digestMs } = dependencies
  const apply = async (event: EventBase, effect: (tx: Tx) => Promise<unknown>) => {
    const outcome = await applyOnce(mysql, CONSUMER, event, effect)
    if (outcome === 'applied') onPlanned(0)
    return outcome
  }
  const tellOnce = async (
    tx: Tx,
    notice: { userId: number; actorId: number; kind: 'friend_request' | 'friend_accepted'; eventId: string },
  ) => {
    const since = new Date(now() - FRIEND_NOTICE_EVERY_MS)
    if (await deliveries.toldSince(tx, notice.userId, notice.kind, notice.actorId, since)) return
    await deliveries.create(tx, { ...notice, channel: 'push', dueAt: new Date(now()) })
  }
  return [
    on(accountMailRequested, (event) =>
      apply(event, (tx) =>
        deliveries.create(tx, {
          userId: event.user_id,
          kind: event.purpose,
          channel: 'mail',
          eventId: event.event_id,
          linkId: event.link_id,
          dueAt: new Date(now()),
        }),
      ),
    ),
    onMany(messageSent, async (events) => {
      const eventIds = events.map(({ event_id }) => event_id)
      const outcome = await mysql.hotTransaction('planMessages', async (tx) => {
        if (!(await onceForAll(tx, CONSUMER, eventIds))) return 'duplicate'
        await planner.plan(tx, events)
        return 'applied'
      })
      if (outcome === 'applied') onPlanned(digestMs)
      return events.map(() => outcome)
    }),
    on(messageEdited, (event) =>
      apply(event, (tx) => deliveries.editMessage(tx, event.message_id, previewOf(event.content))),
    ),
    on(messageDeleted, (event) =>
      apply(event, async (tx) => {
        await deliveries.withdrawMessage(tx, event.message_id)
        await waiting.withdraw(tx, event.room_id, event.message_id)
      }),
    ),
    on(friendRequestSent, (event) =>
      apply(event, (tx) =>
        tellOnce(tx, {
          userId: event.to_user_id,
          actorId: event.from_user_id,
          kind: 'friend_request',
          eventId: event.event_id,
        }),
      ),
    ),
    on(friendRequestAccepted, (event) =>
      apply(event, async (tx) => {
        await deliveries.withdrawFriendRequest(tx, event.to_user_id, event.from_user_id)
        await tellOnce(tx, {
          userId: event.from_user_id,
          actorId: event.to_user_id,
          kind: 'friend_accepted',
          eventId: event.event_id,
        })
      }),
    ),
    ...[friendRequestCancelled, friendRequestRejected].map((definition) =>
      on(definition as typeof friendRequestRejected, (event) =>
        apply(event, (tx) => deliveries.withdrawFriendRequest(tx, event.to_user_id, event.from_user_id)),
      ),
    ),
  ]
}
