import type { AnalysisResult } from '@bigtech/contracts'
import type { Take as Row } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import { doom } from '../files/doom.ts'
import { lockUsage, type Usage, usageOf } from '../files/storage-usage.ts'
import type { JobRepository } from '../jobs/job.repository.ts'
import { recordingFolder, type Take, type TakeState } from './take.ts'

export interface NewTake {
  readonly id: string
  readonly tokenId: number
  readonly ownerId: number
  readonly objectKey: string
  readonly mime: string
  readonly size: number
  readonly requestId: string
}

/** Limits per user. */
export interface TakeLimits {
  /** Maximum size of all files and recordings in bytes. */
  readonly quotaBytes: number
  /** Maximum number of unfinished takes. */
  readonly maxUnfinished: number
}
export type LimitReached = 'quota' | 'unfinished'

/** A take with the text of its token. */
export type SpokenTake = Take & { readonly text: string }

/** Recordings and the state of their analyses. Every state change increments the version. */
export class TakeRepository {
  readonly #mysql: Mysql
  readonly #jobs: JobRepository

  constructor(mysql: Mysql, jobs: JobRepository) {
    this.#mysql = mysql
    this.#jobs = jobs
  }

  /** Returns the limit that a user has reached; the size of a recording is unknown until it has arrived. */
  limitOf(ownerId: number, limits: TakeLimits): Promise<LimitReached | undefined> {
    return this.#mysql.run('takeLimits', async (db) =>
      limitReached(db, await usageOf(db, ownerId), { ownerId, size: 1, ...limits }),
    )
  }

  /** Stores an uploaded take together with its analysis job. Returns the exceeded limit instead, if any. */
  create(take: NewTake, limits: TakeLimits): Promise<Take | LimitReached> {
    const { size, ownerId, ...rest } = take
    return this.#mysql.transaction('createTake', async (tx) => {
      const limit = await limitReached(tx, await lockUsage(tx, ownerId), { ownerId, size, ...limits })
      if (limit) return limit
      const row = await tx.take.create({
        data: { ...rest, ownerId, sizeBytes: size, state: 'queued', createdAt: new Date() },
      })
      await this.enqueueAnalysis(tx, row)
      return toTake(row)
    })
  }

  /** Schedules the deletion of a failed upload's bytes. */
  async doom(takeId: string): Promise<void> {
    await this.#mysql.run('doomRecording', (db) => doomRecording(db, takeId))
  }

  async find(id: string): Promise<Take | undefined> {
    const row = await this.#mysql.run('findTake', (db) => db.take.findUnique({ where: { id } }))
    return row ? toTake(row) : undefined
  }

  /** Returns takes newest first, all by default. @param beforeId the last item of the previous page */
  async list(
    ownerId: number,
    limit?: number,
    { beforeId, tokenId }: { beforeId?: string | undefined; tokenId?: number | undefined } = {},
  ): Promise<SpokenTake[]> {
    const where = {
      ownerId,
      ...(beforeId === undefined ? {} : { id: { lt: beforeId } }),
      ...(tokenId === undefined ? {} : { tokenId }),
    }
    const rows = await this.#mysql.run('listTakes', (db) =>
      db.take.findMany({
        where,
        orderBy: { id: 'desc' },
        ...(limit === undefined ? {} : { take: limit }),
        include: { token: true },
      }),
    )
    return rows.map((row) => ({ ...toTake(row), text: row.token.text }))
  }

  /** Removes a take and its bytes; pending work on it finds nothing. Returns false when the owner has no such take. */
  remove(id: string, ownerId: number): Promise<boolean> {
    return this.#mysql.transaction('removeTake', async (tx) => {
      const { count } = await tx.take.deleteMany({ where: { id, ownerId } })
      if (count > 0) await doomRecording(tx, id)
      return count > 0
    })
  }

  /** Starts another attempt with a new id. Undefined when the take has ended or is gone. */
  beginAttempt(
    id: string,
  ): Promise<(Take & { text: string; language: string; clipKey: string }) | undefined> {
    return this.#mysql.transaction('beginAttempt', async (tx) => {
      const analysisId = crypto.randomUUID()
      const { count } = await tx.take.updateMany({
        where: { id, state: { in: ['queued', 'running'] } },
        data: { state: 'running', analysisId, deadlineAt: null, version: { increment: 1 } },
      })
      if (count === 0) return undefined
      const row = await tx.take.findUniqueOrThrow({
        where: { id },
        include: { token: { include: { script: true } } },
      })
      const { text, clipKey, script } = row.token
      return { ...toTake(row), text, clipKey, language: script.language }
    })
  }

  /** Records that the analysis server has the recording; its report may have arrived earlier. */
  async awaitReport(tx: Tx, id: string, analysisId: string, seconds: number): Promise<void> {
    // Raw: the deadline uses the database's clock.
    await tx.$executeRaw`UPDATE takes SET state = 'analyzing', sends = sends + 1, version = version + 1,
        deadline_at = UTC_TIMESTAMP(3) + INTERVAL ${seconds} SECOND
      WHERE id = ${id} AND state = 'running' AND analysis_id = ${analysisId}`
  }

  /** Ends a take that cannot be analyzed. */
  async fail(tx: Tx, id: string, error: { code: string; detail: string }): Promise<void> {
    await tx.take.updateMany({
      where: { id, state: { in: ['queued', 'running', 'analyzing'] } },
      data: {
        state: 'failed',
        errorCode: error.code,
        errorDetail: error.detail.slice(0, 300),
        deadlineAt: null,
        finishedAt: new Date(),
        version: { increment: 1 },
      },
    })
  }

  /** Resets a failed take for a retry. Returns false in any other state. */
  async revive(tx: Tx, id: string): Promise<boolean> {
    const { count } = await tx.take.updateMany({
      where: { id, state: 'failed' },
      data: {
        state: 'queued',
        sends: 0,
        errorCode: null,
        errorDetail: null,
        finishedAt: null,
        version: { increment: 1 },
      },
    })
    return count === 1
  }

  /** Removes all takes of a deleted account. */
  async eraseOwner(tx: Tx, ownerId: number): Promise<void> {
    const takes = await tx.take.findMany({ where: { ownerId }, select: { id: true } })
    for (const { id } of takes) await doomRecording(tx, id)
    await tx.take.deleteMany({ where: { ownerId } })
    await tx.bookmark.deleteMany({ where: { ownerId } })
  }

  /** Queues the job that submits a take to the analysis server. */
  async enqueueAnalysis(tx: Tx, take: Pick<Row, 'id' | 'ownerId' | 'requestId'>): Promise<void> {
    await this.#jobs.enqueue(tx, {
      kind: 'analyze_take',
      subjectId: take.id,
      ownerId: Number(take.ownerId),
      requestId: take.requestId,
    })
  }
}

async function limitReached(
  db: Pick<Tx, 'take'>,
  usage: Usage,
  asked: TakeLimits & { readonly ownerId: number; readonly size: number },
): Promise<LimitReached | undefined> {
  if (usage.bytes + asked.size > asked.quotaBytes) return 'quota'
  const unfinished = await db.take.count({
    where: { ownerId: asked.ownerId, state: { in: ['queued', 'running', 'analyzing'] } },
  })
  return unfinished >= asked.maxUnfinished ? 'unfinished' : undefined
}

function doomRecording(db: Pick<Tx, 'doomedObject'>, takeId: string): Promise<void> {
  return doom(db, recordingFolder(takeId))
}

/** Returns a row as a take. */
export function toTake(row: Row): Take {
  const { feedback, pronunciation, intonation, emotion, overall } = row
  return {
    id: row.id,
    tokenId: row.tokenId,
    ownerId: Number(row.ownerId),
    state: row.state as TakeState,
    version: row.version,
    objectKey: row.objectKey,
    mime: row.mime,
    size: Number(row.sizeBytes),
    analysisId: row.analysisId,
    sends: row.sends,
    result:
      feedback === null
        ? null
        : {
            scores: {
              pronunciation: Number(pronunciation),
              intonation: Number(intonation),
              emotion: Number(emotion),
              overall: Number(overall),
            },
            feedback: JSON.parse(feedback) as AnalysisResult['feedback'],
          },
    error: row.errorCode === null ? null : { code: row.errorCode, detail: row.errorDetail ?? '' },
    requestId: row.requestId,
    createdAt: row.createdAt,
    finishedAt: row.finishedAt,
  }
}
