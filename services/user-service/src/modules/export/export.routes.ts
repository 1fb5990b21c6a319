import { Readable } from 'node:stream'
import {
  type DataExport as DataExportBody,
  downloadDataExport,
  getDataExport,
  requestDataExport,
  sendDataExportLink,
} from '@bigtech/contracts'
import { route } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import type { ExportService } from './export.service.ts'
import { type DataExport, EXPORT_LIFETIME_MS, exportParts } from './export.ts'

export async function exportRoutes(
  app: FastifyInstance,
  { exports }: { exports: ExportService },
): Promise<void> {
  route(app, requestDataExport, async (_input, ctx) => exportBody(await exports.requestDataExport(ctx)))

  route(app, getDataExport, async (_input, ctx) => exportBody(await exports.getDataExport(ctx)))

  route(app, sendDataExportLink, async (_input, ctx) => {
    await exports.sendDataExportLink(ctx)
    return undefined
  })

  route(app, downloadDataExport, async ({ body }, ctx, { reply }) => {
    const { size, bytes } = await exports.downloadDataExport(ctx, body.token)
    reply.header('content-disposition', `attachment; filename="bigtech-chat-${ctx.actor.userId}.json"`)
    reply.header('cache-control', 'no-store')
    reply.header('content-length', size)
    reply.type('application/json; charset=utf-8')
    return Readable.from(bytes, { objectMode: false }) as never
  })
}

function exportBody(found: DataExport): DataExportBody {
  const { state, finishedAt } = found
  const isReady = state === 'ready' && finishedAt !== null
  return {
    state,
    requested_at: found.requestedAt.toISOString(),
    finished_at: finishedAt?.toISOString() ?? null,
    parts_done: found.partsDone,
    parts_total: exportParts.length,
    size_bytes: isReady ? found.size : null,
    expires_at: isReady ? new Date(finishedAt.getTime() + EXPORT_LIFETIME_MS).toISOString() : null,
  }
}
