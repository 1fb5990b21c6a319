import { z } from 'zod'
import { accountMailPurpose } from '../events/user-events.ts'
import { roomId, timestamp, userId } from '../ids.ts'
import { singleLine, webUrl } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import { onePage, pageQuery } from './paging.ts'

const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'Must be a time of day, HH:MM.')
  .meta({ examples: ['22:00'] })

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** A browser's push subscription; its keys encrypt the payload (RFC 8291). */
const pushSubscriptionBody = z.strictObject({
  endpoint: webUrl(2_048),
  keys: z.strictObject({
    p256dh: z.string().regex(/^[A-Za-z0-9_-]{86,88}=?$/, 'Must be base64url, as the browser returns it.'),
    auth: z.string().regex(/^[A-Za-z0-9_-]{21,24}={0,2}$/, 'Must be base64url, as the browser returns it.'),
  }),
  /** Present in `PushSubscription.toJSON()`; not used. */
  expirationTime: z.number().nullable().optional(),
  device_name: singleLine({ max: 100 }).optional(),
})

export const pushSubscription = z.object({
  subscription_id: z.uuid(),
  /** Host of the push service; the complete address is a secret of the browser. */
  push_service: z.string(),
  device_name: z.string().nullable(),
  created_at: timestamp,
})
export type PushSubscriptionView = z.infer<typeof pushSubscription>

export const notificationPreferences = z.strictObject({
  message_push: z.boolean().meta({ description: 'Push notifications for messages.' }),
  friend_request_push: z.boolean().meta({ description: 'Push notifications for friend requests.' }),
  mentions_when_muted: z.boolean().meta({ description: 'Mentions are pushed even in muted rooms.' }),
  show_preview: z.boolean().meta({ description: 'Push notifications contain the sender and the text.' }),
  quiet_hours: z
    .strictObject({
      start: timeOfDay,
      end: timeOfDay,
      time_zone: z
        .string()
        .max(64, { abort: true })
        .refine(isTimeZone, 'Must be an IANA time zone.')
        .meta({ examples: ['Asia/Seoul'] }),
    })
    .nullable()
    .meta({ description: 'Push notifications in these hours are delivered at their end.' }),
})
export type NotificationPreferences = z.infer<typeof notificationPreferences>

export const deliveryState = z.enum([
  'pending',
  'sent',
  'no_subscription',
  'connected',
  'withdrawn',
  'disabled',
  'failed',
])
export const delivery = z.object({
  delivery_id: z.uuid(),
  kind: z.enum(['welcome', 'friend_request', 'friend_accepted', 'message', ...accountMailPurpose.options]),
  channel: z.enum(['mail', 'push']),
  state: deliveryState.meta({
    description:
      '`no_subscription`: no device to push to. `connected`: you had an open stream before it was sent. `withdrawn`: its subject was deleted. `disabled`: turned off in the preferences.',
  }),
  event_count: z
    .int()
    .positive()
    .meta({ description: 'Number of events it summarizes: a burst is one delivery.' }),
  room_id: roomId.nullable(),
  from_user_id: userId.nullable(),
  created_at: timestamp,
  finished_at: timestamp.nullable(),
})
export type DeliveryView = z.infer<typeof delivery>

const subscriptionExample = {
  subscription_id: '01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3c',
  push_service: 'fcm.googleapis.com',
  device_name: 'Chrome, Windows',
  created_at: '2026-01-27T10:00:00.000Z',
}
const preferencesExample = {
  message_push: true,
  friend_request_push: true,
  mentions_when_muted: true,
  show_preview: true,
  quiet_hours: { start: '22:00', end: '07:00', time_zone: 'Asia/Seoul' },
}

export const putPushSubscription = defineRoute({
  operationId: 'putPushSubscription',
  method: 'PUT',
  path: '/notifications/subscriptions',
  tag: 'push subscriptions',
  summary: 'Subscribe this browser to push notifications',
  description:
    'Accepts the output of `PushSubscription.toJSON()`. Idempotent; at most 20 per user, the oldest is replaced. The subscription ends with the session that created it.',
  body: pushSubscriptionBody,
  bodyExample: {
    endpoint: 'https://fcm.googleapis.com/fcm/send/abc',
    keys: {
      p256dh: 'BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM',
      auth: 'tBHItJI5svbpez7KI4CCXg',
    },
    device_name: 'Chrome, Windows',
  },
  success: {
    status: 200,
    description: 'Subscribed.',
    schema: pushSubscription,
    example: subscriptionExample,
  },
})

export const listPushSubscriptions = defineRoute({
  operationId: 'listPushSubscriptions',
  method: 'GET',
  path: '/notifications/subscriptions',
  tag: 'push subscriptions',
  summary: 'Your subscribed browsers, and the key for subscribing',
  success: {
    status: 200,
    description: 'At most 20.',
    schema: z.object({
      items: z.array(pushSubscription),
      vapid_public_key: z
        .string()
        .nullable()
        .meta({ description: '`applicationServerKey`; null: push notifications are not configured.' }),
    }),
    example: {
      items: [subscriptionExample],
      vapid_public_key:
        'BEl62iUYgUivxIkv69yViEuiBIa-Ib9-SkvMeAtA3LFgDzkrxZJjSgSnfckjBJuBkr3qBUYIHBQFLXYp5Nksh8U',
    },
  },
})

export const deletePushSubscription = defineRoute({
  operationId: 'deletePushSubscription',
  method: 'DELETE',
  path: '/notifications/subscriptions/:subscription_id',
  tag: 'push subscriptions',
  summary: 'End a subscription',
  params: z.object({
    subscription_id: z.uuid().meta({ examples: ['01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3c'] }),
  }),
  success: { status: 204, description: 'Gone.' },
  problems: ['SUBSCRIPTION_NOT_FOUND'],
})

export const getNotificationPreferences = defineRoute({
  operationId: 'getNotificationPreferences',
  method: 'GET',
  path: '/notifications/preferences',
  tag: 'preferences',
  summary: 'Your notification preferences',
  success: {
    status: 200,
    description: 'The preferences; defaults until you change them.',
    schema: notificationPreferences,
    example: preferencesExample,
  },
})

export const putNotificationPreferences = defineRoute({
  operationId: 'putNotificationPreferences',
  method: 'PUT',
  path: '/notifications/preferences',
  tag: 'preferences',
  summary: 'Change your notification preferences',
  body: notificationPreferences,
  bodyExample: preferencesExample,
  success: {
    status: 200,
    description: 'The new preferences.',
    schema: notificationPreferences,
    example: preferencesExample,
  },
})

export const listDeliveries = defineRoute({
  operationId: 'listDeliveries',
  method: 'GET',
  path: '/notifications/deliveries',
  tag: 'deliveries',
  summary: 'Notifications sent to you in the last 30 days, newest first',
  query: pageQuery,
  success: onePage(delivery, 'A page of deliveries.', {
    delivery_id: '01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3c',
    kind: 'message',
    channel: 'push',
    state: 'sent',
    event_count: 3,
    room_id: 7,
    from_user_id: 100,
    created_at: '2026-01-27T10:00:00.000Z',
    finished_at: '2026-01-27T10:00:02.100Z',
  }),
  problems: ['CURSOR_INVALID'],
})

export const exportNotificationData = defineRoute({
  operationId: 'exportNotificationData',
  method: 'GET',
  path: '/notifications/export',
  tag: 'deliveries',
  summary: "Your address, preferences, devices and deliveries, for your account's archive",
  description: 'Streamed.',
  success: {
    status: 200,
    description: 'One JSON document.',
    contentType: 'application/json',
    schema: z.object({
      exported_at: timestamp,
      user_id: userId,
      email: z
        .string()
        .nullable()
        .meta({ description: 'Address of mails; null: unknown to notification-service.' }),
      locale: z.string().nullable(),
      preferences: notificationPreferences,
      subscriptions: z.array(pushSubscription),
      deliveries: z.array(delivery).meta({ description: 'Deliveries of the last 30 days, newest first.' }),
    }),
    example: {
      exported_at: '2026-01-27T10:00:00.000Z',
      user_id: 100,
      email: 'test@example.com',
      locale: 'ko',
      preferences: preferencesExample,
      subscriptions: [subscriptionExample],
      deliveries: [],
    },
  },
})
