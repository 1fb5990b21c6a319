import { Readable } from 'node:stream'
import {
  analyzeMessage,
  cancelDocument,
  deleteDocument,
  downloadDocument,
  getDocument,
  getDocumentReport,
  getDocumentStats,
  getExtractedData,
  listDocumentReports,
  listDocuments,
  maxDocumentBytes,
  reprocessDocument,
  uploadDocument,
} from '@bigtech/contracts'
import { Problem, route } from '@bigtech/service-kit'
import multipart from '@fastify/multipart'
import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import { documentOutputs } from '../../extract/tasks.ts'
import type { ObjectStore, StoredObject } from '../../infrastructure/object-store.ts'
import { dispositionOf } from '../files/file.ts'
import { incomingFile, uploadLimits } from '../files/incoming-file.ts'
import type { DocumentService } from './document.service.ts'
import { type DocumentRecord, documentView, outputKey } from './document.ts'

export interface DocumentsRoutesOptions {
  readonly documents: DocumentService
  readonly store: ObjectStore
}

const formats = ['html', 'pdf', 'json'] as const

export const documentsRoutes: FastifyPluginAsync<DocumentsRoutesOptions> = async (app, options) => {
  const { documents, store } = options
  await app.register(multipart, uploadLimits(maxDocumentBytes))
  const ok = <Data>(message: string, data: Data) => ({ success: true as const, message, data })

  route(app, uploadDocument, async (_input, ctx, { request }) => {
    const document = await documents.upload(ctx, await incomingFile(request, true))
    return ok('The document is stored and queued.', documentView(document))
  })
  route(app, analyzeMessage, async ({ body }, ctx) =>
    ok('The document is stored and queued.', documentView(await documents.analyze(ctx, body.message_id))),
  )
  route(app, listDocuments, async ({ query }, ctx) => {
    const { page, page_size: size, ...filter } = query
    const { rows, total } = await documents.list(ctx, filter, page, size)
    const data = rows.map(documentView)
    const pages = Math.ceil(total / size)
    return { ...ok('A page of documents.', data), total, page, page_size: size, total_pages: pages }
  })
  route(app, getDocumentStats, async (_input, ctx) =>
    ok('Counts and processing times of your documents.', await documents.stats(ctx)),
  )
  route(app, getDocument, async ({ params }, ctx) =>
    ok('The document.', documentView(await documents.get(ctx, params.document_id))),
  )
  route(app, deleteDocument, async ({ params }, ctx) => {
    await documents.remove(ctx, params.document_id)
    return ok('The document is deleted.', { document_id: params.document_id })
  })
  route(app, reprocessDocument, async ({ params }, ctx) =>
    ok('The document is queued.', documentView(await documents.reprocess(ctx, params.document_id))),
  )
  route(app, cancelDocument, async ({ params }, ctx) =>
    ok('The analysis is being stopped.', documentView(await documents.cancel(ctx, params.document_id))),
  )
  route(app, getExtractedData, async ({ params }, ctx, { reply }) => {
    const { id } = await documents.finished(ctx, params.document_id)
    return reply
      .type('application/json; charset=utf-8')
      .send(Readable.from(wrapped('The extracted content.', await output(store, id, 'extracted.json'))))
  })
  route(app, listDocumentReports, async ({ params }, ctx) => {
    const { id } = await documents.finished(ctx, params.document_id)
    return ok(
      'The reports and their addresses.',
      formats.map((format) => ({ format, path: `/documents/${id}/reports/${format}` })),
    )
  })
  route(app, getDocumentReport, async ({ params }, ctx, { reply }) => {
    const document = await documents.finished(ctx, params.document_id)
    const name = `report.${params.format}` as const
    const object = await output(store, document.id, name)
    return send(reply, object, `${document.name}.${name}`, documentOutputs[name])
  })
  route(app, downloadDocument, async ({ params }, ctx, { reply }) => {
    const document = await documents.examined(ctx, params.document_id)
    return send(reply, await original(store, document), document.name, document.mime)
  })
}

/** Streams a stored JSON response: several megabytes are neither parsed nor buffered. */
async function* wrapped(message: string, { body }: StoredObject) {
  yield `{"success":true,"message":${JSON.stringify(message)},"data":`
  yield* body
  yield '}'
}

async function output(store: ObjectStore, id: string, name: keyof typeof documentOutputs) {
  const object = await store.get(outputKey(id, name))
  if (!object) throw new Problem('DOCUMENT_NOT_FOUND')
  return object
}

async function original(store: ObjectStore, { objectKey }: DocumentRecord): Promise<StoredObject> {
  const object = await store.get(objectKey)
  if (!object) throw new Problem('DOCUMENT_NOT_FOUND')
  return object
}

/** Sends a download that browsers neither sniff nor execute, because names and contents are untrusted. */
function send(reply: FastifyReply, object: StoredObject, name: string, mime: string): FastifyReply {
  reply.headers({
    'content-type': mime,
    'content-length': object.size,
    'content-disposition': dispositionOf(name),
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
  })
  return reply.send(object.body)
}
