import { uniqueName } from '@bigtech/testkit'
import { expect } from 'vitest'
import { stack } from '../../e2e/stack.ts'
import { everybody, ownersOnly, type Row } from './row.ts'

export const subscription = () => ({
  endpoint: `https://fcm.googleapis.com/fcm/send/${uniqueName()}`,
  keys: {
    p256dh: 'BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM',
    auth: 'tBHItJI5svbpez7KI4CCXg',
  },
})

const preferences = {
  message_push: true,
  friend_request_push: true,
  mentions_when_muted: true,
  show_preview: true,
  quiet_hours: null,
}

/** notification-service: everybody has their own, and nobody sees another's. */
export const notificationRows: readonly Row[] = [
  { operationId: 'putPushSubscription', table: everybody(200), request: () => ({ body: subscription() }) },
  {
    operationId: 'listPushSubscriptions',
    table: everybody(200),
    check: ({ body }) => expect(body.items).toHaveLength(1),
  },
  {
    operationId: 'deletePushSubscription',
    table: ownersOnly(204, 'SUBSCRIPTION_NOT_FOUND'),
    before: async ({ as }) =>
      (await as('owner')('PUT', `${stack.notification}/notifications/subscriptions`, subscription())).body,
    request: (_scene, _role, { subscription_id }) => ({ params: { subscription_id } }),
  },
  { operationId: 'getNotificationPreferences', table: everybody(200) },
  {
    operationId: 'putNotificationPreferences',
    table: everybody(200),
    request: () => ({ body: preferences }),
  },
  { operationId: 'listDeliveries', table: everybody(200) },
  { operationId: 'exportNotificationData', table: everybody(200) },
]

/** analytics-service: for operators, whatever a person is to another. */
const operators = everybody('TOKEN_INVALID')

export const analyticsRows: readonly Row[] = [
  { operationId: 'getStatsSummary', table: operators },
  { operationId: 'listDailyStats', table: operators },
  {
    operationId: 'listRoomHours',
    table: operators,
    request: ({ room }) => ({ params: { room_id: room } }),
    missing: { room_id: null },
  },
]
