import { z } from 'zod'
import { userId } from '../ids.ts'
import { defineEvent } from './define-event.ts'

const payload = z.object({ user_id: userId, deletion_id: z.uuid() })
const byUser = (event: { user_id: number }) => String(event.user_id)

/** Everything notification-service held of a deleted account is gone: a step of the account's deletion. */
export const notificationDataErased = defineEvent({
  type: 'NotificationDataErased',
  version: 1,
  topic: 'notification.events',
  key: byUser,
  payload,
})

/** The figures no longer name a deleted account: a step of the account's deletion. */
export const analyticsDataErased = defineEvent({
  type: 'AnalyticsDataErased',
  version: 1,
  topic: 'analytics.events',
  key: byUser,
  payload,
})
