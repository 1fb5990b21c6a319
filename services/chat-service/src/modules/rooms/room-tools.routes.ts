import {
  banFromRoom,
  listRoomAudit,
  listRoomBans,
  silenceRoomMember,
  unbanFromRoom,
  unsilenceRoomMember,
} from '@bigtech/contracts'
import { type Limit, route } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import type { RoomToolsService } from './room-tools.service.ts'
import type { Limiter } from './rooms.routes.ts'

const changes: Limit = { name: 'room_tools', max: 60, windowSeconds: 60 }

/** Registers the routes for moderating a group by its owner and admins. */
export async function roomToolRoutes(
  app: FastifyInstance,
  { tools, limiter }: { tools: RoomToolsService; limiter: Limiter },
): Promise<void> {
  route(app, silenceRoomMember, async ({ params, body }, ctx) => {
    await limiter.take(changes, ctx.actor.userId)
    const until = await tools.silence(ctx, params.room_id, params.user_id, body.minutes ?? null)
    return { ...params, silenced_until: until.toISOString() }
  })
  route(app, unsilenceRoomMember, async ({ params }, ctx) => {
    await limiter.take(changes, ctx.actor.userId)
    await tools.unsilence(ctx, params.room_id, params.user_id)
    return undefined
  })
  route(app, listRoomBans, ({ params, query }, ctx) =>
    tools.listBans(ctx.actor.userId, params.room_id, query),
  )
  route(app, banFromRoom, async ({ params }, ctx) => {
    await limiter.take(changes, ctx.actor.userId)
    await tools.ban(ctx, params.room_id, params.user_id)
    return undefined
  })
  route(app, unbanFromRoom, async ({ params }, ctx) => {
    await limiter.take(changes, ctx.actor.userId)
    await tools.unban(ctx, params.room_id, params.user_id)
    return undefined
  })
  route(app, listRoomAudit, ({ params, query }, ctx) =>
    tools.listAudit(ctx.actor.userId, params.room_id, query),
  )
}
