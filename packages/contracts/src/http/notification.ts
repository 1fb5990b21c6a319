import { z } from 'zod'
import { accountMailPurpose } from '../events/user-events.ts'
import { roomId, timestamp, userId } from '../ids.ts'
import { singleLine, webUrl } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import { pageOf, pageQuery } from './paging.ts'

const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'A time of day, HH:MM.')
  .meta({ examples: ['22:00'] })

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** A push service's address of one browser; its keys encrypt what is sent there (RFC 8291). */
const pushSubscriptionBody = z.strictObject({
  endpoint: webUrl(2_048),
  keys: z.strictObject({
    p256dh: z.string().regex(/^[A-Za-z0-9_-]{86,88}=?$/, 'The key as the browser gives it, base64url.'),
    auth: z.string().regex(/^[A-Za-z0-9_-]{21,24}={0,2}$/, 'The secret as the browser gives it, base64url.'),
  }),
  /** As `PushSubscription.toJSON()` of a browser has it; we do not use it. */
  expirationTime: z.number().nullable().optional(),
  device_name: singleLine({ max: 100 }).optional(),
})

export const pushSubscription = z.object({
  subscription_id: z.uuid(),
  /** Host of the push service; the whole address is a secret of the browser. */
  push_service: z.string(),
  device_name: z.string().nullable(),
  created_at: timestamp,
})
export type PushSubscriptionView = z.infer<typeof pushSubscription>

export const notificationPreferences = z.strictObject({
  message_push: z.boolean().meta({ description: 'Pushes for messages.' }),
  friend_request_push: z.boolean().meta({ description: 'Pushes for friend requests.' }),
  mentions_when_muted: z.boolean().meta({ description: 'A mention is pushed although its room is muted.' }),
  show_preview: z.boolean().meta({ description: 'Pushes show who wrote what.' }),
  quiet_hours: z
    .strictObject({
      start: timeOfDay,
      end: timeOfDay,
      time_zone: z
        .string()
        .max(64, { abort: true })
        .refine(isTimeZone, 'An IANA time zone.')
        .meta({ examples: ['Asia/Seoul'] }),
    })
    .nullable()
    .meta({ description: 'Pushes of these hours wait for their end.' }),
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
      '`no_subscription`: no device to push to. `connected`: you looked before it was sent. `withdrawn`: what it told of is gone. `disabled`: switched off in the preferences.',
  }),
  event_count: z.int().positive().meta({ description: 'What it tells of: a burst is one delivery.' }),
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
  summary: 'Subscribe this browser to pushes',
  description:
    'Takes what `PushSubscription.toJSON()` gives. Repeating it is harmless; at most 20 a user, the oldest goes first. It ends with the session that made it.',
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
  summary: 'Your subscribed browsers, and the key to subscribe with',
  success: {
    status: 200,
    description: 'At most 20.',
    schema: z.object({
      items: z.array(pushSubscription),
      vapid_public_key: z
        .string()
        .nullable()
        .meta({ description: '`applicationServerKey`; null: no push here.' }),
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
  summary: 'What you are told, and when',
  success: {
    status: 200,
    description: 'The preferences; the defaults until you change them.',
    schema: notificationPreferences,
    example: preferencesExample,
  },
})

export const putNotificationPreferences = defineRoute({
  operationId: 'putNotificationPreferences',
  method: 'PUT',
  path: '/notifications/preferences',
  tag: 'preferences',
  summary: 'Change what you are told, and when',
  body: notificationPreferences,
  bodyExample: preferencesExample,
  success: {
    status: 200,
    description: 'As they are now.',
    schema: notificationPreferences,
    example: preferencesExample,
  },
})

export const listDeliveries = defineRoute({
  operationId: 'listDeliveries',
  method: 'GET',
  path: '/notifications/deliveries',
  tag: 'deliveries',
  summary: 'What was sent to you in the last 30 days, newest first',
  query: pageQuery,
  success: {
    status: 200,
    description: 'A page of deliveries.',
    schema: pageOf(delivery),
    example: {
      items: [
        {
          delivery_id: '01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3c',
          kind: 'message',
          channel: 'push',
          state: 'sent',
          event_count: 3,
          room_id: 7,
          from_user_id: 100,
          created_at: '2026-01-27T10:00:00.000Z',
          finished_at: '2026-01-27T10:00:02.100Z',
        },
      ],
      next_cursor: null,
    },
  },
  problems: ['CURSOR_INVALID'],
})

export const exportNotificationData = defineRoute({
  operationId: 'exportNotificationData',
  method: 'GET',
  path: '/notifications/export',
  tag: 'deliveries',
  summary: 'What notification-service holds of you: address, preferences, devices, deliveries',
  description: 'Written while it is read.',
  success: {
    status: 200,
    description: 'One JSON document.',
    contentType: 'application/json',
    schema: z.object({
      exported_at: timestamp,
      user_id: userId,
      email: z.string().nullable().meta({ description: 'Where mail goes; null: it is not known here.' }),
      locale: z.string().nullable(),
      preferences: notificationPreferences,
      subscriptions: z.array(pushSubscription),
      deliveries: z.array(delivery).meta({ description: 'Of the last 30 days, newest first.' }),
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
