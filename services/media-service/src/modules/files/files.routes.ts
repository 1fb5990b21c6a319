import {
  claimFile,
  claimPicture,
  completeUpload,
  deleteFile,
  getFile,
  getFileContent,
  getFileLink,
  getPicture,
  getStorageUsage,
  getUpload,
  listFiles,
  maxFileBytes,
  startUpload,
  uploadFile,
} from '@bigtech/contracts'
import { decodeCursor, Problem, route, toPage } from '@bigtech/service-kit'
import multipart from '@fastify/multipart'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { ObjectStore } from '../../infrastructure/object-store.ts'
import type { FileService } from './file.service.ts'
import {
  dispositionOf,
  type FileRecord,
  type FileVariant,
  keyOf,
  messageFileView,
  parseRange,
  storedFileView,
} from './file.ts'
import { incomingFile, uploadLimits } from './incoming-file.ts'
import type { UploadPlan, UploadService } from './upload.service.ts'

const LINK_SECONDS = 60
const cursorSchema = z.tuple([z.uuid()])

export interface FilesRoutesOptions {
  readonly files: FileService
  readonly uploads: UploadService
  readonly store: ObjectStore
}

export const filesRoutes: FastifyPluginAsync<FilesRoutesOptions> = async (app, { files, uploads, store }) => {
  await app.register(multipart, uploadLimits(maxFileBytes))
  route(app, uploadFile, async (_input, ctx, { request }) =>
    storedFileView(await uploads.receive(ctx, await incomingFile(request))),
  )
  route(app, startUpload, async ({ body }, ctx) => planView(await uploads.start(ctx, body)))
  route(app, getUpload, async ({ params }, ctx) => planView(await uploads.resume(ctx, params.file_id)))
  route(app, completeUpload, async ({ params }, ctx) =>
    storedFileView(await uploads.complete(ctx, params.file_id)),
  )
  route(app, listFiles, async ({ query }, ctx) => {
    const [beforeId] = decodeCursor(cursorSchema, query.cursor) ?? []
    const rows = await files.list(ctx, query.limit + 1, beforeId)
    return toPage(rows, query.limit, ({ id }) => [id], storedFileView)
  })
  route(app, getStorageUsage, (_input, ctx) => files.usage(ctx))
  route(app, getFile, async ({ params, query }, ctx) =>
    storedFileView(await files.get(ctx, params.file_id, query.wait_seconds)),
  )
  route(app, deleteFile, async ({ params }, ctx) => {
    await files.delete(ctx, params.file_id)
    return undefined
  })
  route(app, claimFile, async ({ params, body }, ctx) =>
    messageFileView(await files.claim(ctx, params.file_id, body.message_type)),
  )
  route(app, claimPicture, async ({ params, body }, ctx) => {
    await files.claimPicture(ctx, params.file_id, body.purpose)
    return undefined
  })
  route(app, getFileContent, async ({ params, query }, ctx, { request, reply }) => {
    const { variant, message_id: messageId } = query
    const file = await files.forViewer(ctx, params.file_id, { variant, messageId })
    if (query.redirect === 'true') {
      reply.header('cache-control', 'no-store')
      return reply.redirect(await linkOf(store, file, variant), 302)
    }
    return sendContent(store, file, variant, request, reply)
  })
  route(app, getFileLink, async ({ params, query }, ctx, { reply }) => {
    const { variant, message_id: messageId } = query
    const file = await files.forViewer(ctx, params.file_id, { variant, messageId })
    reply.header('cache-control', 'no-store')
    const expiresAt = new Date(Date.now() + LINK_SECONDS * 1_000)
    return { url: await linkOf(store, file, variant), expires_at: expiresAt.toISOString() }
  })
  route(app, getPicture, async ({ params }, _ctx, { reply }) => {
    const file = await files.picture(params.file_id)
    const object = await store.get(file.objectKey)
    if (!object) throw new Problem('FILE_NOT_FOUND')
    reply.headers({
      'content-type': file.mime,
      'content-length': object.size,
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'cross-origin',
    })
    return reply.send(object.body)
  })
}

function linkOf(store: ObjectStore, file: FileRecord, variant: FileVariant): Promise<string> {
  const mime = variant === 'original' ? file.mime : 'image/webp'
  return store.signGet(keyOf(file, variant), { mime, disposition: dispositionOf(file.name) }, LINK_SECONDS)
}

/** Streams the bytes, or one range of them. */
async function sendContent(
  store: ObjectStore,
  file: FileRecord,
  variant: FileVariant,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const etag = `"${file.id}-${variant}"`
  reply.headers({
    etag,
    // Private: a shared cache must not serve it to another user.
    'cache-control': 'private, max-age=86400',
    'content-type': variant === 'original' ? file.mime : 'image/webp',
    'content-disposition': dispositionOf(file.name),
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    ...(variant === 'original' ? { 'accept-ranges': 'bytes' } : {}),
  })
  if (request.headers['if-none-match'] === etag) return reply.code(304).send()
  const range = variant === 'original' ? parseRange(request.headers.range, file.size) : undefined
  if (range === null) {
    reply.header('content-range', `bytes */${file.size}`)
    throw new Problem('RANGE_NOT_SATISFIABLE')
  }
  const object = await store.get(keyOf(file, variant), range && `bytes=${range.first}-${range.last}`)
  if (!object) throw new Problem('FILE_NOT_FOUND')
  if (range) reply.header('content-range', `bytes ${range.first}-${range.last}/${file.size}`)
  reply.header('content-length', object.size)
  return reply.code(range ? 206 : 200).send(object.body)
}

function planView({ file, partSize, parts, urlsExpireAt }: UploadPlan) {
  return {
    file: storedFileView(file),
    part_size: partSize,
    parts: parts.map((part) => ({ ...part })),
    urls_expire_at: urlsExpireAt.toISOString(),
  }
}
