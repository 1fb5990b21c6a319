import { type AnalysisReport, type AnalysisResult, audioAnalysed } from '@bigtech/contracts'
import { type Outbox, once, wasApplied } from '@bigtech/outbox'
import { Prisma, type Take as Row } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import { type TakeRepository, toTake } from './take.repository.ts'
import { isOver, MAX_SENDS } from './take.ts'
import { webhookEventId } from './webhook-event-id.ts'

/** The result of a report. `superseded`: another attempt, or the end of the job, was first. */
export type ReportOutcome = 'applied' | 'duplicate' | 'superseded' | 'unknown'

const CONSUMER = 'analysis-webhook'
const EXPIRE_BATCH = 20
const TIMED_OUT = { code: 'ANALYSIS_TIMEOUT', detail: 'The analysis server did not report a result in time.' }

/** Applies the reports of the analysis server, and the absence of one, to takes. */
export class TakeReports {
  readonly #mysql: Mysql
  readonly #takes: TakeRepository
  readonly #outbox: Outbox

  constructor(mysql: Mysql, takes: TakeRepository, outbox: Outbox) {
    this.#mysql = mysql
    this.#takes = takes
    this.#outbox = outbox
  }

  /** Applies a report of an analysis server once. @param webhookId the same for every delivery of one report */
  apply(webhookId: string, report: AnalysisReport): Promise<ReportOutcome> {
    return this.#mysql.transaction('reportAnalysis', async (tx) => {
      // Raw: Prisma has no FOR UPDATE.
      await tx.$queryRaw`SELECT id FROM takes WHERE id = ${report.job_id} FOR UPDATE`
      const row = await tx.take.findUnique({ where: { id: report.job_id } })
      if (!row) return 'unknown'
      const eventId = webhookEventId(webhookId)
      if (await wasApplied(tx, CONSUMER, eventId)) return 'duplicate'
      const take = toTake(row)
      if (isOver(take) || take.analysisId !== report.analysis_id) return 'superseded'
      await once(tx, CONSUMER, eventId)
      if (report.status === 'succeeded') await this.#succeed(tx, row, report.result)
      else await this.#retryOrFail(tx, row, report.error, report.error.retryable)
      return 'applied'
    })
  }

  /** Retries takes with an overdue report, and ends those without remaining attempts. Returns their number. */
  async expire(): Promise<number> {
    const isDue = Prisma.sql`SELECT 1 FROM takes WHERE state = 'analyzing' AND deadline_at < UTC_TIMESTAMP(3)`
    if (!(await this.#mysql.has(isDue))) return 0
    return this.#mysql.transaction('expireTakes', async (tx) => {
      // Raw: Prisma has no SKIP LOCKED.
      const overdue = await tx.$queryRaw<{ id: string }[]>`
        SELECT id FROM takes WHERE state = 'analyzing' AND deadline_at < UTC_TIMESTAMP(3)
        ORDER BY deadline_at LIMIT ${EXPIRE_BATCH} FOR UPDATE SKIP LOCKED`
      for (const { id } of overdue)
        await this.#retryOrFail(tx, await tx.take.findUniqueOrThrow({ where: { id } }), TIMED_OUT, true)
      return overdue.length
    })
  }

  async #retryOrFail(
    tx: Tx,
    row: Row,
    error: { code: string; detail: string },
    isRetryable: boolean,
  ): Promise<void> {
    // A report may arrive before the submission was recorded.
    const sends = row.state === 'running' ? row.sends + 1 : row.sends
    if (!isRetryable || sends >= MAX_SENDS) return this.#takes.fail(tx, row.id, error)
    await tx.take.update({
      where: { id: row.id },
      data: { state: 'queued', sends, analysisId: null, deadlineAt: null, version: { increment: 1 } },
    })
    await this.#takes.enqueueAnalysis(tx, row)
  }

  async #succeed(tx: Tx, row: Row, { scores, feedback }: AnalysisResult): Promise<void> {
    await tx.take.update({
      where: { id: row.id },
      data: {
        ...scores,
        state: 'succeeded',
        feedback: JSON.stringify(feedback),
        deadlineAt: null,
        finishedAt: new Date(),
        version: { increment: 1 },
      },
    })
    const token = { where: { id: row.tokenId }, select: { scriptId: true } }
    const { scriptId } = await tx.scriptToken.findUniqueOrThrow(token)
    await tx.script.updateMany({ where: { id: scriptId }, data: { practiceCount: { increment: 1 } } })
    const payload = {
      user_id: Number(row.ownerId),
      job_id: row.id,
      token_id: row.tokenId,
      overall: scores.overall,
    }
    await this.#outbox.enqueue(tx, audioAnalysed, payload, { correlationId: row.requestId })
  }
}
