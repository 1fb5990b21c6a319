import { deleteRecording, getRecordingContent, listRecordings } from '@bigtech/contracts'
import { decodeCursor, Problem, route, toPage } from '@bigtech/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import type { ObjectStore } from '../../infrastructure/object-store.ts'
import type { PracticeService } from './practice.service.ts'
import type { TakeRepository } from './take.repository.ts'
import { recordingView } from './take.ts'

const cursorSchema = z.tuple([z.uuid()])

export interface RecordingsRoutesOptions {
  readonly practice: PracticeService
  readonly takes: TakeRepository
  readonly objects: Pick<ObjectStore, 'get'>
}

/** What users do with recordings that they have made. */
export const recordingsRoutes: FastifyPluginAsync<RecordingsRoutesOptions> = async (app, options) => {
  const { practice, takes, objects } = options
  route(app, listRecordings, async ({ query }, ctx) => {
    const [beforeId] = decodeCursor(cursorSchema, query.cursor) ?? []
    const filter = { beforeId, tokenId: query.token_id }
    const rows = await takes.list(ctx.actor.userId, query.limit + 1, filter)
    return toPage(rows, query.limit, ({ id }) => [id], recordingView)
  })
  route(app, getRecordingContent, async ({ params }, ctx, { reply }) => {
    const take = await practice.own(ctx, params.job_id)
    const object = await objects.get(take.objectKey)
    if (!object) throw new Problem('ANALYSIS_NOT_FOUND')
    reply.headers({
      'content-type': take.mime,
      'content-length': object.size,
      'content-disposition': 'attachment',
      'cache-control': 'private, no-store',
      'x-content-type-options': 'nosniff',
    })
    return reply.send(object.body)
  })
  route(app, deleteRecording, async ({ params }, ctx) => {
    await practice.remove(ctx, params.job_id)
    return undefined
  })
}
