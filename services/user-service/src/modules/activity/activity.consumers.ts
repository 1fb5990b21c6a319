import { friendRequestAccepted, roomCreated } from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import { applyOnce } from '@bigtech/outbox'
import type { Mysql } from '../../infrastructure/mysql.ts'
import { recordToldActivity } from './activity-log.ts'

const CONSUMER = 'user-service.activities'

/** Returns the handlers that record other services' events, each once. */
export function activitySubscriptions(mysql: Mysql): Subscription[] {
  return [
    on(friendRequestAccepted, (event) =>
      applyOnce(mysql, CONSUMER, event, async (tx) => {
        const { from_user_id: from, to_user_id: to } = event
        await recordToldActivity(tx, { userId: from, type: 'friend_added', data: { user_id: to } })
        await recordToldActivity(tx, { userId: to, type: 'friend_added', data: { user_id: from } })
      }),
    ),
    on(roomCreated, (event) =>
      applyOnce(mysql, CONSUMER, event, async (tx) => {
        // Direct rooms are created automatically.
        if (event.room_type === 'direct') return
        await recordToldActivity(tx, {
          userId: event.created_by,
          type: 'room_created',
          data: { room_id: event.room_id },
        })
      }),
    ),
  ]
}
