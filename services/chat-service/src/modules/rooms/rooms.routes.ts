import { Readable } from 'node:stream'
import {
  chosenPicture,
  createRoom,
  deleteRoom,
  exportChatData,
  getReceiverSettings,
  getRoom,
  listRooms,
  openDirectRoom,
  updateReceiverSettings,
  updateRoom,
  updateRoomSettings,
} from '@bigtech/contracts'
import { type Limit, route } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import { muteAt } from '../membership/membership.ts'
import type { ExportService } from './export.service.ts'
import type { RoomListService } from './room-list.service.ts'
import type { RoomService } from './rooms.service.ts'

/** Counts actions of a user and rejects too many. */
export interface Limiter {
  take(limit: Limit, subject: number): Promise<void>
}

const limits = {
  create: { name: 'room_create', max: 60, windowSeconds: 60 },
  openDirect: { name: 'room_open_direct', max: 120, windowSeconds: 60 },
  update: { name: 'room_update', max: 60, windowSeconds: 60 },
  settings: { name: 'room_settings', max: 240, windowSeconds: 60 },
  export: { name: 'chat_export', max: 10, windowSeconds: 3_600 },
} as const satisfies Record<string, Limit>

export interface RoomRoutesOptions {
  readonly rooms: RoomService
  readonly list: RoomListService
  readonly receivers: {
    strangersMayAdd(userId: number): Promise<boolean>
    setStrangersMayAdd(userId: number, allowed: boolean): Promise<void>
  }
  readonly exports: ExportService
  readonly limiter: Limiter
}

/** Registers the routes of rooms and of members' own settings. */
export async function roomRoutes(app: FastifyInstance, options: RoomRoutesOptions): Promise<void> {
  const { rooms, list, limiter } = options
  route(app, createRoom, async ({ body }, ctx) => {
    await limiter.take(limits.create, ctx.actor.userId)
    return list.roomAfterChange(ctx.actor.userId, await rooms.createRoom(ctx, withPicture(body)))
  })
  route(app, openDirectRoom, async ({ params }, ctx) => {
    await limiter.take(limits.openDirect, ctx.actor.userId)
    return list.roomAfterChange(ctx.actor.userId, await rooms.openDirectRoom(ctx, params.user_id))
  })
  route(app, listRooms, ({ query }, ctx) =>
    list.listRooms(ctx.actor.userId, { ...query, archived: query.archived === 'true' }),
  )
  route(app, getRoom, ({ params }, ctx) => list.getRoom(ctx.actor.userId, params.room_id))
  route(app, updateRoom, async ({ params, body }, ctx) => {
    await limiter.take(limits.update, ctx.actor.userId)
    await rooms.updateRoom(ctx, params.room_id, withPicture(body))
    return list.roomAfterChange(ctx.actor.userId, params.room_id)
  })
  route(app, deleteRoom, async ({ params }, ctx) => {
    await rooms.deleteRoom(ctx, params.room_id)
    return undefined
  })
  route(app, updateRoomSettings, async ({ params, body }, ctx) => {
    await limiter.take(limits.settings, ctx.actor.userId)
    const settings = await rooms.updateRoomSettings(ctx, params.room_id, body)
    const { muted, mutedUntil } = muteAt(settings.mutedUntil, new Date())
    return {
      room_id: params.room_id,
      muted,
      muted_until: mutedUntil?.toISOString() ?? null,
      pinned: settings.pinnedAt !== null,
      archived: settings.archivedAt !== null,
    }
  })
  receiverRoutes(app, options)
}

function withPicture<
  Body extends { image_file_id?: string | null | undefined; image_url?: string | null | undefined },
>({ image_file_id, image_url, ...body }: Body) {
  return { ...body, pictureFileId: chosenPicture(image_file_id, image_url) }
}

function receiverRoutes(app: FastifyInstance, { receivers, exports, limiter }: RoomRoutesOptions): void {
  route(app, getReceiverSettings, async (_input, ctx) => ({
    strangers_may_add: await receivers.strangersMayAdd(ctx.actor.userId),
  }))
  route(app, updateReceiverSettings, async ({ body }, ctx) => {
    await limiter.take(limits.settings, ctx.actor.userId)
    await receivers.setStrangersMayAdd(ctx.actor.userId, body.strangers_may_add)
    return body
  })
  route(app, exportChatData, async (_input, ctx, { reply }) => {
    await limiter.take(limits.export, ctx.actor.userId)
    const document = await exports.exportChatData(ctx.actor.userId)
    reply.type('application/json; charset=utf-8')
    // Streamed in chunks; the serializer would need the whole document.
    return Readable.from(document) as never
  })
}
