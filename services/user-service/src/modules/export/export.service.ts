import { uuidv7 } from '@bigtech/contracts'
import {
  type AuthenticatedContext,
  type Limit,
  Problem,
  type RateLimiter,
  type Service,
} from '@bigtech/service-kit'
import { type ExportRepository, type Lease, LeaseLost } from './export.repository.ts'
import { ARCHIVE_END, beforePart, type DataExport, type ExportPart, exportParts } from './export.ts'
import type { ReadPart } from './export-parts.ts'

export type ExportService = ReturnType<typeof createExportService>

const requests: Limit = { name: 'export', max: 5, windowSeconds: 86_400 }
const links: Limit = { name: 'export_link', max: 5, windowSeconds: 3_600 }
const CHUNK_BYTES = 256 * 1_024

/**
 * Builds archives of users' data in the background. Stores each complete part, so that a crash or an outage
 * of a neighbor service costs only the current part; `lease` prevents two processes from building the same
 * archive.
 */
export function createExportService(deps: {
  exports: ExportRepository
  readPart: ReadPart
  /** Returns a token for the user, or null when there is no active account. */
  bearerOf: (userId: number) => Promise<string | null>
  /** Returns the link id of a valid token. */
  readLink: (token: string) => string | undefined
  limiter: RateLimiter
  log: Service['log']
  isStopping: () => boolean
  wakeBuilder: () => void
  wakeRelay: () => void
}) {
  const { exports, limiter, log } = deps

  async function getDataExport(userId: number): Promise<DataExport> {
    const found = await exports.find(userId)
    if (!found) throw new Problem('EXPORT_NOT_FOUND')
    return found
  }

  async function buildPart(lease: Lease, part: ExportPart, bearer: string): Promise<void> {
    let position = 0
    let size = 0
    const source = deps.readPart(part, { userId: lease.userId, requestId: uuidv7(), bearer })
    for await (const chunk of inChunks(source, CHUNK_BYTES)) {
      if (deps.isStopping()) throw new Stopping()
      await exports.addChunk(lease, part, position++, chunk)
      size += chunk.byteLength
    }
    await exports.completePart(lease, part, size)
  }

  async function build(lease: Lease): Promise<void> {
    const done = await exports.partsDone(lease)
    for (const part of exportParts.filter((each) => !done.includes(each))) {
      // A new token for each part, because a large archive takes longer than a token is valid.
      const bearer = await deps.bearerOf(lease.userId)
      if (bearer === null) throw new Error('The account is not active.')
      await buildPart(lease, part, bearer)
    }
    await exports.complete(lease, uuidv7())
    deps.wakeRelay()
    log.info({ export_id: lease.exportId, user_id: lease.userId }, 'data export ready')
  }

  return {
    getDataExport: (ctx: AuthenticatedContext) => getDataExport(ctx.actor.userId),

    async requestDataExport(ctx: AuthenticatedContext): Promise<DataExport> {
      const { userId } = ctx.actor
      if ((await exports.find(userId))?.state !== 'pending') {
        await limiter.take(requests, userId)
        await exports.request(userId)
      }
      deps.wakeBuilder()
      return getDataExport(userId)
    },

    async sendDataExportLink(ctx: AuthenticatedContext): Promise<void> {
      const { userId } = ctx.actor
      const { state } = await getDataExport(userId)
      if (state !== 'ready') throw new Problem('EXPORT_NOT_READY')
      await limiter.take(links, userId)
      if (await exports.sendLink(userId, ctx.requestId)) deps.wakeRelay()
    },

    /** Uses up the mailed link. @throws Problem LINK_INVALID */
    async downloadDataExport(
      ctx: AuthenticatedContext,
      token: string,
    ): Promise<{ size: number; bytes: AsyncIterable<Uint8Array> }> {
      const linkId = deps.readLink(token)
      const found = linkId === undefined ? null : await exports.useLink(ctx.actor.userId, linkId)
      if (!found?.finishedAt) throw new Problem('LINK_INVALID')
      ctx.log.info({ export_id: found.id }, 'data export downloaded')
      return { size: found.size, bytes: archiveOf(exports, found.id, found.finishedAt) }
    },

    /** Builds every due export. Failed ones are retried later. */
    async buildDue(): Promise<void> {
      for (let lease = await exports.claim(); lease; lease = await exports.claim()) {
        try {
          await build(lease)
        } catch (err) {
          if (err instanceof LeaseLost) continue
          const isFailure = !(err instanceof Stopping)
          if (isFailure)
            log.warn({ err, export_id: lease.exportId }, 'data export interrupted, retrying later')
          await exports.postpone(lease, isFailure)
          if (!isFailure) return
        }
      }
    },
  }
}

/** This process stops; another process continues the export. */
class Stopping extends Error {}

async function* archiveOf(
  exports: ExportRepository,
  exportId: string,
  finishedAt: Date,
): AsyncGenerator<Uint8Array> {
  for (const part of exportParts) {
    yield Buffer.from(beforePart(part, finishedAt))
    yield* exports.readPart(exportId, part)
  }
  yield Buffer.from(ARCHIVE_END)
}

/** Combines small pieces into chunks of a reasonable size. */
async function* inChunks(source: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of source) {
    pieces.push(piece)
    size += piece.byteLength
    if (size < bytes) continue
    yield Buffer.concat(pieces)
    pieces = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(pieces)
}
