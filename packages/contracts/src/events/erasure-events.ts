import { z } from 'zod'
import { userId } from '../ids.ts'
import { defineEvent } from './define-event.ts'

const payload = z.object({ user_id: userId, deletion_id: z.uuid() })
const byUser = (event: { user_id: number }) => String(event.user_id)

/** notification-service has erased its data of a deleted account: one step of the deletion. */
export const notificationDataErased = defineEvent({
  type: 'NotificationDataErased',
  version: 1,
  topic: 'notification.events',
  key: byUser,
  payload,
})

/** analytics-service has removed a deleted account from its figures: one step of the deletion. */
export const analyticsDataErased = defineEvent({
  type: 'AnalyticsDataErased',
  version: 1,
  topic: 'analytics.events',
  key: byUser,
  payload,
})
