import {
  deletePushSubscription,
  listPushSubscriptions,
  type PushSubscriptionView,
  putPushSubscription,
} from '@bigtech/contracts'
import { Problem, route } from '@bigtech/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import { endpointFault } from './push-endpoint.ts'
import type { Subscription, SubscriptionsRepository } from './subscriptions.repository.ts'

export const subscriptionsRoutes: FastifyPluginAsync<{
  subscriptions: SubscriptionsRepository
  vapidPublicKey: string | null
  /** Only outside production: endpoints may be on this machine. */
  allowAnyEndpoint: boolean
}> = async (app, { subscriptions, vapidPublicKey, allowAnyEndpoint }) => {
  route(app, putPushSubscription, async ({ body }, ctx) => {
    const fault = allowAnyEndpoint ? undefined : endpointFault(body.endpoint)
    if (fault) throw new Problem('VALIDATION_FAILED', { errors: [{ field: 'endpoint', message: fault }] })
    const subscription = await subscriptions.put({
      userId: ctx.actor.userId,
      sessionId: ctx.actor.sessionId,
      endpoint: body.endpoint,
      p256dh: body.keys.p256dh,
      auth: body.keys.auth,
      deviceName: body.device_name ?? null,
    })
    return subscriptionView(subscription)
  })
  route(app, listPushSubscriptions, async (_input, ctx) => ({
    items: (await subscriptions.list(ctx.actor.userId)).map(subscriptionView),
    vapid_public_key: vapidPublicKey,
  }))
  route(app, deletePushSubscription, async ({ params }, ctx) => {
    const removed = await subscriptions.remove(ctx.actor.userId, params.subscription_id)
    if (!removed) throw new Problem('SUBSCRIPTION_NOT_FOUND')
    return undefined
  })
}

/** Returns a subscription in the API format, without endpoint and keys. */
export function subscriptionView(subscription: Subscription): PushSubscriptionView {
  return {
    subscription_id: subscription.id,
    push_service: new URL(subscription.endpoint).host,
    device_name: subscription.deviceName,
    created_at: subscription.createdAt.toISOString(),
  }
}
