import { type DeliveryView, listDeliveries } from '@bigtech/contracts'
import { decodeCursor, route, toPage } from '@bigtech/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import type { DeliveriesRepository } from './deliveries.repository.ts'
import type { Delivery } from './delivery.ts'

const cursorSchema = z.tuple([z.uuid()])

export const deliveriesRoutes: FastifyPluginAsync<{ deliveries: DeliveriesRepository }> = async (
  app,
  { deliveries },
) => {
  route(app, listDeliveries, async ({ query }, ctx) => {
    const [beforeId] = decodeCursor(cursorSchema, query.cursor) ?? []
    const rows = await deliveries.list(ctx.actor.userId, query.limit + 1, beforeId)
    return toPage(rows, query.limit, (row) => [row.id], deliveryView)
  })
}

/** Returns a delivery in the API format. */
export function deliveryView(delivery: Delivery): DeliveryView {
  return {
    delivery_id: delivery.id,
    kind: delivery.kind,
    channel: delivery.channel,
    state: delivery.state,
    event_count: delivery.eventCount,
    room_id: delivery.roomId,
    from_user_id: delivery.actorId,
    created_at: delivery.createdAt.toISOString(),
    finished_at: delivery.finishedAt?.toISOString() ?? null,
  }
}
