import {
  addBookmark,
  getAnalysisResult,
  getPracticeClip,
  getPracticeOverview,
  getScript,
  listBookmarks,
  listDubbedTokens,
  listPopularScripts,
  listScripts,
  maxRecordingBytes,
  openAnalysisProgress,
  removeBookmark,
  uploadRecording,
} from '@bigtech/contracts'
import { decodeCursor, Problem, route, toPage } from '@bigtech/service-kit'
import multipart from '@fastify/multipart'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { ObjectStore } from '../../infrastructure/object-store.ts'
import type { IncomingRecording, PracticeService } from './practice.service.ts'
import { streamProgress } from './progress-stream.ts'
import type { ScriptRepository } from './script.repository.ts'
import type { TakeRepository } from './take.repository.ts'
import { analysisView, progressView } from './take.ts'

const scriptCursor = z.tuple([z.int().positive()])
const dateCursor = z.tuple([z.coerce.date(), z.int().positive()])
const CLIP_CACHE_SECONDS = 3_600
const POPULAR_CACHE_SECONDS = 60

export interface PracticeRoutesOptions {
  readonly practice: PracticeService
  readonly scripts: ScriptRepository
  readonly takes: TakeRepository
  readonly objects: Pick<ObjectStore, 'get'>
  /** Aborted when the process stops: streams end so that clients reconnect to another one. */
  readonly stopping: AbortSignal
}

export const practiceRoutes: FastifyPluginAsync<PracticeRoutesOptions> = async (app, options) => {
  const { practice, scripts, takes, objects, stopping } = options
  await app.register(multipart, {
    preservePath: true,
    limits: { files: 1, fields: 0, parts: 1, headerPairs: 20, fileSize: maxRecordingBytes },
  })

  route(app, listScripts, async ({ query }) => {
    const [beforeId] = decodeCursor(scriptCursor, query.cursor) ?? []
    const rows = await scripts.list(query.limit + 1, { beforeId, language: query.language })
    return toPage(
      rows,
      query.limit,
      (row) => [row.script_id],
      (row) => row,
    )
  })
  route(app, listPopularScripts, async (_input, _ctx, { reply }) => {
    reply.header('cache-control', `private, max-age=${POPULAR_CACHE_SECONDS}`)
    return { items: await practice.popularScripts() }
  })
  route(app, getScript, async ({ params }, ctx) => {
    const script = await scripts.find(params.script_id, ctx.actor.userId)
    if (!script) throw new Problem('SCRIPT_NOT_FOUND')
    return script
  })
  route(app, getPracticeClip, async ({ params }, _ctx, { reply }) => {
    const key = await scripts.clipKey(params.token_id)
    const object = key === undefined ? undefined : await objects.get(key)
    if (!object) throw new Problem('PRACTICE_TOKEN_NOT_FOUND')
    reply.headers({
      'content-type': 'audio/wav',
      'content-length': object.size,
      'cache-control': `private, max-age=${CLIP_CACHE_SECONDS}`,
      'x-content-type-options': 'nosniff',
    })
    return reply.send(object.body)
  })
  route(app, uploadRecording, async ({ params }, ctx, { request }) => {
    await practice.admit(ctx, params.token_id)
    const take = await practice.receive(ctx, params.token_id, await incomingRecording(request))
    return { ...progressView(take), token_id: take.tokenId }
  })
  route(app, openAnalysisProgress, async ({ params }, ctx, { request, reply }) => {
    const take = await practice.own(ctx, params.job_id)
    await streamProgress(request, reply, take, { read: () => takes.find(take.id), signal: stopping })
    return reply
  })
  route(app, getAnalysisResult, async ({ params }, ctx) =>
    analysisView(await practice.own(ctx, params.job_id)),
  )

  route(app, addBookmark, async ({ params }, ctx) => {
    if (!(await scripts.bookmark(ctx.actor.userId, params.token_id)))
      throw new Problem('PRACTICE_TOKEN_NOT_FOUND')
    return undefined
  })
  route(app, removeBookmark, async ({ params }, ctx) => {
    await scripts.removeBookmark(ctx.actor.userId, params.token_id)
    return undefined
  })
  route(app, listBookmarks, async ({ query }, ctx) => {
    const [createdAt, tokenId] = decodeCursor(dateCursor, query.cursor) ?? []
    const after = createdAt && tokenId ? { createdAt, tokenId } : undefined
    const rows = await scripts.listBookmarks(ctx.actor.userId, query.limit + 1, after)
    return toPage(
      rows,
      query.limit,
      (row) => [row.createdAt, row.tokenId],
      (row) => ({ token: row.token, created_at: row.createdAt.toISOString() }),
    )
  })
  route(app, listDubbedTokens, async ({ query }, ctx) => {
    const [at, tokenId] = decodeCursor(dateCursor, query.cursor) ?? []
    const rows = await scripts.listDubbed(
      ctx.actor.userId,
      query.limit + 1,
      at && tokenId ? { at, tokenId } : undefined,
    )
    return toPage(
      rows,
      query.limit,
      (row) => [row.at, row.tokenId],
      ({ at: _at, tokenId: _tokenId, ...row }) => row,
    )
  })
  route(app, getPracticeOverview, async (_input, ctx) => {
    const overview = await scripts.overview(ctx.actor.userId)
    return {
      practice_count: overview.practices,
      token_count: overview.tokens,
      bookmark_count: overview.bookmarks,
      average: overview.average,
      best_overall: overview.best,
      last_practiced_at: overview.lastAt?.toISOString() ?? null,
    }
  })
}

/** Returns the part `file`, whose bytes are left to be streamed. */
async function incomingRecording(request: FastifyRequest): Promise<IncomingRecording> {
  if (!request.isMultipart())
    throw new Problem('MEDIA_TYPE_UNSUPPORTED', { detail: 'Send multipart/form-data.' })
  const part = await request.file().catch((cause: unknown) => {
    throw new Problem('UPLOAD_CUT', { cause })
  })
  if (!part) throw new Problem('FILE_MISSING')
  if (part.fieldname !== 'file') {
    const errors = [{ field: part.fieldname.slice(0, 100), message: 'The part must be named `file`.' }]
    throw new Problem('VALIDATION_FAILED', { errors })
  }
  return {
    name: part.filename,
    mime: part.mimetype,
    body: part.file,
    isTruncated: () => part.file.truncated,
  }
}
