import type { Readable } from 'node:stream'
import { type AnalysisReport, maxRecordingBytes, type ScriptSummary, uuidv7 } from '@bigtech/contracts'
import { type AuthenticatedContext, type Context, Problem } from '@bigtech/service-kit'
import { declaredType, type FileType } from '../../extract/file-types.ts'
import { readHead, streamTo } from '../files/upload-stream.ts'
import type { ScriptRepository } from './script.repository.ts'
import type { LimitReached, TakeLimits, TakeRepository } from './take.repository.ts'
import { recordingKey, type Take } from './take.ts'
import type { TakeReports } from './take-reports.repository.ts'

/** A recording in a request. */
export interface IncomingRecording {
  readonly name: string
  readonly mime: string
  readonly body: Readable
  /** Whether the parser truncated the file at its limit; known after the end of the body. */
  isTruncated(): boolean
}

export interface PracticeServiceOptions {
  readonly takes: TakeRepository
  readonly takeReports: TakeReports
  readonly scripts: ScriptRepository
  readonly putStream: (key: string, body: Readable, mime: string, signal: AbortSignal) => Promise<void>
  /** Returns whether the first bytes match the type. */
  readonly looksLike: (head: Buffer, type: FileType) => Promise<boolean>
  readonly quotaBytes: number
  readonly idleMs: number
}

const accepted: readonly string[] = ['audio/wav', 'audio/mpeg', 'audio/mp4']
const MAX_UNFINISHED = 5
const RETRY_AFTER_SECONDS = 10
const POPULAR = 10
const POPULAR_MS = 60_000

/** Practice of tokens: recordings, their analyses, and popular scripts. */
export class PracticeService {
  readonly #options: PracticeServiceOptions
  #popular: { readonly items: Promise<ScriptSummary[]>; readonly until: number } | undefined

  constructor(options: PracticeServiceOptions) {
    this.#options = options
  }

  /** Rejects an upload before reading it. @throws Problem PRACTICE_TOKEN_NOT_FOUND, RATE_LIMITED, QUOTA_EXCEEDED */
  async admit(ctx: AuthenticatedContext, tokenId: number): Promise<void> {
    const { takes, scripts } = this.#options
    if ((await scripts.clipKey(tokenId)) === undefined) throw new Problem('PRACTICE_TOKEN_NOT_FOUND')
    const limit = await takes.limitOf(ctx.actor.userId, this.#limits)
    if (limit) throw refusalOf(limit)
  }

  /** Stores a recording and queues its analysis. @throws Problem FILE_EMPTY, FILE_TOO_LARGE, FILE_TYPE_REFUSED, UPLOAD_CUT, QUOTA_EXCEEDED, RATE_LIMITED */
  async receive(ctx: AuthenticatedContext, tokenId: number, incoming: IncomingRecording): Promise<Take> {
    const { takes, looksLike, putStream, idleMs } = this.#options
    const type = declaredType(incoming.name, incoming.mime)
    if (!type || !accepted.includes(type.mime))
      throw new Problem('FILE_TYPE_REFUSED', { detail: 'A recording must be a wav, mp3 or m4a.' })
    const head = await readHead(incoming.body, idleMs)
    if (head.length === 0) throw new Problem('FILE_EMPTY')
    if (!(await looksLike(head, type)))
      throw new Problem('FILE_TYPE_REFUSED', { detail: `The content is not ${type.mime}.` })
    const id = uuidv7()
    const objectKey = recordingKey(id)
    try {
      const size = await streamTo(incoming.body, head, {
        limit: maxRecordingBytes,
        idleMs,
        isTruncated: () => incoming.isTruncated(),
        put: (body, signal) => putStream(objectKey, body, type.mime, signal),
      })
      const take = await takes.create(
        {
          ...{ id, tokenId, objectKey, size, mime: type.mime },
          ownerId: ctx.actor.userId,
          requestId: ctx.requestId,
        },
        this.#limits,
      )
      if (typeof take === 'string') throw refusalOf(take)
      return take
    } catch (err) {
      await takes.doom(id).catch((cause: unknown) => {
        ctx.log.warn({ err: cause, job_id: id }, 'removing a failed recording failed')
      })
      throw err
    }
  }

  get #limits(): TakeLimits {
    return { quotaBytes: this.#options.quotaBytes, maxUnfinished: MAX_UNFINISHED }
  }

  /** Checks the owner. @throws Problem ANALYSIS_NOT_FOUND, also for takes of other users */
  async remove(ctx: AuthenticatedContext, takeId: string): Promise<void> {
    if (!(await this.#options.takes.remove(takeId, ctx.actor.userId))) throw new Problem('ANALYSIS_NOT_FOUND')
  }

  /** Checks the owner. @throws Problem ANALYSIS_NOT_FOUND, also for takes of other users */
  async own(ctx: AuthenticatedContext, takeId: string): Promise<Take> {
    const take = await this.#options.takes.find(takeId)
    if (!take || take.ownerId !== ctx.actor.userId) throw new Problem('ANALYSIS_NOT_FOUND')
    return take
  }

  /** Applies a report. @throws Problem ANALYSIS_NOT_FOUND, ANALYSIS_SUPERSEDED */
  async report(ctx: Context, webhookId: string, report: AnalysisReport): Promise<void> {
    const outcome = await this.#options.takeReports.apply(webhookId, report)
    ctx.log.info({ job_id: report.job_id, status: report.status, outcome }, 'analysis reported')
    if (outcome === 'unknown') throw new Problem('ANALYSIS_NOT_FOUND')
    if (outcome === 'superseded') throw new Problem('ANALYSIS_SUPERSEDED')
  }

  /** Returns popular scripts, cached for a minute; concurrent callers share one query. */
  popularScripts(): Promise<ScriptSummary[]> {
    if (this.#popular && this.#popular.until > Date.now()) return this.#popular.items
    const items = this.#options.scripts.popular(POPULAR)
    this.#popular = { items, until: Date.now() + POPULAR_MS }
    items.catch(() => {
      this.#popular = undefined
    })
    return items
  }
}

function refusalOf(limit: LimitReached): Problem {
  if (limit === 'quota') return new Problem('QUOTA_EXCEEDED')
  return new Problem('RATE_LIMITED', {
    detail: `${MAX_UNFINISHED} of your recordings are being analyzed; wait for one of them.`,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  })
}
