import type { JobOverview, MonitoredJob } from '@bigtech/contracts'
import { Problem } from '@bigtech/service-kit'
import type { Job as Row } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import type { JobRepository } from '../jobs/job.repository.ts'
import { cancelled, type JobEffects, type JobKind } from '../jobs/job.ts'

export interface MonitorOptions {
  readonly mysql: Mysql
  readonly jobs: JobRepository
  readonly effects: Readonly<Record<JobKind, JobEffects>>
}

export interface JobFilter {
  readonly state?: MonitoredJob['state'] | undefined
  readonly kind?: string | undefined
}

/** Time without a heartbeat after which a worker counts as lost; heartbeats are sent every 5 s. */
const SILENT_SECONDS = 20
const MEASURED_JOBS = 1_000

/** The operators' view of jobs and workers. */
export class Monitor {
  readonly #options: MonitorOptions

  constructor(options: MonitorOptions) {
    this.#options = options
  }

  async overview(): Promise<JobOverview> {
    const kinds = Object.keys(this.#options.effects) as JobKind[]
    return { workers: await this.#workers(), kinds: await Promise.all(kinds.map((kind) => this.#kind(kind))) }
  }

  async list({ state, kind }: JobFilter, page: number, limit: number): Promise<MonitoredJob[]> {
    const where = { ...(state ? { state } : {}), ...(kind ? { kind } : {}) }
    const rows = await this.#options.mysql.run('monitorJobs', (db) =>
      db.job.findMany({
        where,
        orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
        skip: (page - 1) * limit,
        take: limit,
      }),
    )
    return rows.map(jobView)
  }

  /** Cancels a job. @throws Problem JOB_NOT_FOUND, JOB_STATE_CONFLICT */
  cancel(id: string): Promise<MonitoredJob> {
    const { jobs } = this.#options
    return this.#change('monitorCancel', id, async (tx, { subjectId }, effects) => {
      const outcome = await jobs.cancel(tx, id)
      if (outcome === 'cancelled') await effects.onFailed(tx, subjectId, cancelled())
      return outcome !== undefined
    })
  }

  /** Retries a job. @throws Problem JOB_NOT_FOUND, JOB_STATE_CONFLICT */
  retry(id: string): Promise<MonitoredJob> {
    const { jobs } = this.#options
    return this.#change('monitorRetry', id, async (tx, { subjectId }, effects) => {
      if (!effects.onRetried || !(await jobs.retry(tx, id))) return false
      return effects.onRetried(tx, subjectId)
    })
  }

  #change(
    operation: string,
    id: string,
    change: (tx: Tx, job: Row, effects: JobEffects) => Promise<boolean>,
  ): Promise<MonitoredJob> {
    const { mysql, effects } = this.#options
    return mysql.transaction(operation, async (tx) => {
      const job = await tx.job.findUnique({ where: { id } })
      const ofKind = job && effects[job.kind as JobKind]
      if (!ofKind) throw new Problem('JOB_NOT_FOUND')
      if (!(await change(tx, job, ofKind))) throw new Problem('JOB_STATE_CONFLICT')
      return jobView(await tx.job.findUniqueOrThrow({ where: { id } }))
    })
  }

  async #workers(): Promise<JobOverview['workers']> {
    // Raw, as in `#kind`: ages by the database's clock, like the leases.
    const rows = await this.#options.mysql.run(
      'monitorWorkers',
      (db) => db.$queryRaw<
        { id: string; slots: number; started_at: Date; seen_at: Date; alive: unknown; running: bigint }[]
      >`
        SELECT w.id, w.slots, w.started_at, w.seen_at,
          w.seen_at > UTC_TIMESTAMP(3) - INTERVAL ${SILENT_SECONDS} SECOND AS alive,
          (SELECT COUNT(*) FROM jobs j WHERE j.state = 'running' AND j.worker = w.id) AS running
        FROM workers w ORDER BY w.started_at`,
    )
    return rows.map((row) => ({
      worker: row.id,
      slots: row.slots,
      running: Number(row.running),
      started_at: row.started_at.toISOString(),
      seen_at: row.seen_at.toISOString(),
      alive: Boolean(Number(row.alive)),
    }))
  }

  #kind(kind: JobKind): Promise<JobOverview['kinds'][number]> {
    return this.#options.mysql.run('monitorKind', async (db) => {
      const counts = await db.$queryRaw<{ state: string; count: bigint; oldest: unknown }[]>`
        SELECT state, COUNT(*) AS count, MAX(TIMESTAMPDIFF(SECOND, due_at, UTC_TIMESTAMP(3))) AS oldest
        FROM jobs WHERE kind = ${kind}
          AND (finished_at IS NULL OR finished_at > UTC_TIMESTAMP(3) - INTERVAL 1 DAY) GROUP BY state`
      const times = await db.$queryRaw<{ seconds: unknown }[]>`
        SELECT TIMESTAMPDIFF(MICROSECOND, started_at, finished_at) / 1000000 AS seconds FROM jobs
        WHERE kind = ${kind} AND state = 'succeeded' ORDER BY finished_at DESC LIMIT ${MEASURED_JOBS}`
      const sorted = times.map(({ seconds }) => Number(seconds)).sort((a, b) => a - b)
      const count = (state: string) => Number(counts.find((row) => row.state === state)?.count ?? 0)
      const oldest = counts.find(({ state }) => state === 'queued')?.oldest
      return {
        kind,
        queued: count('queued'),
        running: count('running'),
        succeeded: count('succeeded'),
        failed: count('failed'),
        cancelled: count('cancelled'),
        p50_seconds: percentile(sorted, 0.5),
        p95_seconds: percentile(sorted, 0.95),
        oldest_queued_seconds: oldest === undefined ? null : Math.max(0, Number(oldest)),
      }
    })
  }
}

function percentile(sorted: readonly number[], share: number): number | null {
  const value = sorted[Math.ceil(sorted.length * share) - 1]
  return value === undefined ? null : Math.round(value * 1_000) / 1_000
}

function jobView(row: Row): MonitoredJob {
  return {
    job_id: row.id,
    kind: row.kind,
    subject_id: row.subjectId,
    owner_id: Number(row.ownerId),
    state: row.state as MonitoredJob['state'],
    priority: row.priority,
    progress: row.progress,
    stage: row.stage,
    attempts: row.attempts,
    losses: row.losses,
    worker: row.worker,
    cancel_requested: row.cancelRequested,
    error_code: row.errorCode,
    error_detail: row.errorDetail,
    request_id: row.requestId,
    created_at: row.createdAt.toISOString(),
    started_at: row.startedAt?.toISOString() ?? null,
    finished_at: row.finishedAt?.toISOString() ?? null,
  }
}
