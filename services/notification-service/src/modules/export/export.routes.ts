import { Readable } from 'node:stream'
import { exportNotificationData } from '@bigtech/contracts'
import { route } from '@bigtech/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import type { ExportService } from './export.service.ts'

export const exportRoutes: FastifyPluginAsync<{ exports: ExportService }> = async (app, { exports }) => {
  route(app, exportNotificationData, async (_input, ctx, { reply }) => {
    const document = await exports.exportNotificationData(ctx.actor.userId)
    reply.type('application/json; charset=utf-8')
    // Streamed in chunks; the serializer would need the whole document.
    return Readable.from(document) as never
  })
}
