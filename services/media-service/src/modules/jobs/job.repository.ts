import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import {
  type ClaimedJob,
  DEFAULT_PRIORITY,
  type JobFailure,
  type JobKind,
  MAX_LOSSES,
  type NewJob,
} from './job.ts'

interface ClaimedRow {
  readonly id: string
  readonly kind: JobKind
  readonly subject_id: string
  readonly owner_id: bigint
  readonly request_id: string
  readonly attempts: number
}

/** Expired leases processed in one transaction. */
const REAP_BATCH = 20

/**
 * The job queue: a table with leases. Times are those of the database, because workers on several machines
 * compare them. Every write of a worker includes its lease, so that a worker paused for longer than its
 * lease changes nothing. Raw for that clock, for SKIP LOCKED, and for states decided by the row's own
 * columns.
 */
export class JobRepository {
  readonly #mysql: Mysql
  readonly #leaseSeconds: number

  constructor(mysql: Mysql, leaseSeconds: number) {
    this.#mysql = mysql
    this.#leaseSeconds = leaseSeconds
  }

  /** Queues a job in the transaction of its subject. */
  async enqueue(tx: Tx, job: NewJob): Promise<string> {
    const id = crypto.randomUUID()
    await tx.$executeRaw`
      INSERT INTO jobs (id, kind, subject_id, owner_id, request_id, state, priority, due_at, created_at)
      VALUES (${id}, ${job.kind}, ${job.subjectId}, ${job.ownerId}, ${job.requestId}, 'queued',
        ${job.priority ?? DEFAULT_PRIORITY}, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`
    return id
  }

  /** Returns whether jobs of these kinds are due: one statement for an idle worker, not a transaction of five. */
  areDue(kinds: readonly JobKind[]): Promise<boolean> {
    return this.#mysql.has(
      Prisma.sql`SELECT 1 FROM jobs
        WHERE state = 'queued' AND due_at <= UTC_TIMESTAMP(3) AND kind IN (${Prisma.join([...kinds])})`,
    )
  }

  /** Claims the next due jobs of these kinds, by priority, then age. Workers never wait for each other's rows. */
  async claim(worker: string, limit: number, kinds: readonly JobKind[]): Promise<ClaimedJob[]> {
    if (kinds.length === 0) return []
    if (!(await this.areDue(kinds))) return []
    return this.#mysql.transaction('claimJobs', async (tx) => {
      const found = await tx.$queryRaw<{ id: string }[]>`
        SELECT id FROM jobs
        WHERE state = 'queued' AND due_at <= UTC_TIMESTAMP(3) AND kind IN (${Prisma.join([...kinds])})
        ORDER BY priority, due_at, id LIMIT ${limit} FOR UPDATE SKIP LOCKED`
      if (found.length === 0) return []
      const leaseId = crypto.randomUUID()
      await tx.$executeRaw`
        UPDATE jobs SET state = 'running', lease_id = ${leaseId}, worker = ${worker}, attempts = attempts + 1,
          lease_until = UTC_TIMESTAMP(3) + INTERVAL ${this.#leaseSeconds} SECOND,
          started_at = UTC_TIMESTAMP(3), progress = 0, stage = NULL
        WHERE id IN (${Prisma.join(found.map(({ id }) => id))})`
      const rows = await tx.$queryRaw<ClaimedRow[]>`
        SELECT id, kind, subject_id, owner_id, request_id, attempts FROM jobs
        WHERE lease_id = ${leaseId} ORDER BY priority, due_at, id`
      return rows.map((row) => ({
        id: row.id,
        kind: row.kind,
        subjectId: row.subject_id,
        ownerId: Number(row.owner_id),
        requestId: row.request_id,
        attempt: row.attempts,
        leaseId,
      }))
    })
  }

  /** Renews the lease. Returns false when another worker has the job or it was cancelled; stop working. */
  async renew(job: ClaimedJob, progress: number, stage: string | null): Promise<boolean> {
    const changed = await this.#mysql.run(
      'renewLease',
      (db) => db.$executeRaw`
        UPDATE jobs SET lease_until = UTC_TIMESTAMP(3) + INTERVAL ${this.#leaseSeconds} SECOND,
          progress = ${progress}, stage = ${stage}
        WHERE id = ${job.id} AND lease_id = ${job.leaseId} AND state = 'running' AND cancel_requested = 0`,
    )
    return changed === 1
  }

  /** Ends a job together with its effect, atomically. Returns false when the lease was lost, without any change. */
  succeed(job: ClaimedJob, effect: (tx: Tx) => Promise<unknown>): Promise<boolean> {
    return this.#mysql.transaction('finishJob', async (tx) => {
      const changed = await tx.$executeRaw`
        UPDATE jobs SET state = 'succeeded', progress = 100, lease_id = NULL, lease_until = NULL,
          error_code = NULL, error_detail = NULL, finished_at = UTC_TIMESTAMP(3)
        WHERE id = ${job.id} AND lease_id = ${job.leaseId} AND state = 'running'`
      if (changed !== 1) return false
      await effect(tx)
      return true
    })
  }

  /** Schedules another attempt. Returns false like `succeed`. */
  async retryLater(job: ClaimedJob, failure: JobFailure, delayMs: number): Promise<boolean> {
    const changed = await this.#mysql.run(
      'retryJob',
      (db) => db.$executeRaw`
        UPDATE jobs SET state = 'queued', lease_id = NULL, lease_until = NULL,
          due_at = UTC_TIMESTAMP(3) + INTERVAL ${delayMs * 1_000} MICROSECOND,
          error_code = ${failure.code}, error_detail = ${failure.detail}
        WHERE id = ${job.id} AND lease_id = ${job.leaseId} AND state = 'running'`,
    )
    return changed === 1
  }

  /** Ends a job permanently: failed, or cancelled on request. */
  fail(job: ClaimedJob, failure: JobFailure, effect: (tx: Tx) => Promise<unknown>): Promise<boolean> {
    return this.#mysql.transaction('failJob', async (tx) => {
      const changed = await tx.$executeRaw`
        UPDATE jobs SET state = IF(cancel_requested = 1, 'cancelled', 'failed'), lease_id = NULL,
          lease_until = NULL, error_code = ${failure.code}, error_detail = ${failure.detail},
          finished_at = UTC_TIMESTAMP(3)
        WHERE id = ${job.id} AND lease_id = ${job.leaseId} AND state = 'running'`
      if (changed !== 1) return false
      await effect(tx)
      return true
    })
  }

  /** Returns running jobs to the queue immediately, for a graceful stop. */
  async release(jobs: readonly ClaimedJob[]): Promise<void> {
    if (jobs.length === 0) return
    const leases = Prisma.join(jobs.map(({ leaseId }) => leaseId))
    const ids = Prisma.join(jobs.map(({ id }) => id))
    await this.#mysql.run(
      'releaseJobs',
      (db) => db.$executeRaw`
        UPDATE jobs SET state = 'queued', lease_id = NULL, lease_until = NULL, attempts = attempts - 1
        WHERE id IN (${ids}) AND lease_id IN (${leases}) AND state = 'running' AND cancel_requested = 0`,
    )
  }

  /**
   * Reclaims jobs from workers that no longer renew their lease. Ends those that lost too many workers or
   * were cancelled; `onEnd` then runs in the same transaction. Returns the number of expired leases.
   */
  async reap(
    kinds: readonly JobKind[],
    onEnd: (tx: Tx, job: { kind: JobKind; subjectId: string; isCancelled: boolean }) => Promise<unknown>,
  ): Promise<number> {
    const isExpired = Prisma.sql`SELECT 1 FROM jobs WHERE state = 'running' AND lease_until < UTC_TIMESTAMP(3)`
    if (!(await this.#mysql.has(isExpired))) return 0
    return this.#mysql.transaction('reapJobs', async (tx) => {
      const rows = await tx.$queryRaw<
        { id: string; kind: JobKind; subject_id: string; losses: number; cancel_requested: number }[]
      >`
        SELECT id, kind, subject_id, losses, cancel_requested FROM jobs
        WHERE state = 'running' AND lease_until < UTC_TIMESTAMP(3) AND kind IN (${Prisma.join([...kinds])})
        LIMIT ${REAP_BATCH} FOR UPDATE SKIP LOCKED`
      for (const row of rows) {
        const cancelled = Number(row.cancel_requested) === 1
        const isOver = cancelled || row.losses + 1 >= MAX_LOSSES
        const state = cancelled ? 'cancelled' : isOver ? 'failed' : 'queued'
        await tx.$executeRaw`
          UPDATE jobs SET state = ${state}, losses = losses + 1, lease_id = NULL, lease_until = NULL,
            due_at = UTC_TIMESTAMP(3), error_code = 'WORKER_LOST', error_detail = 'The worker stopped responding.',
            finished_at = IF(${isOver}, UTC_TIMESTAMP(3), NULL)
          WHERE id = ${row.id}`
        if (isOver) await onEnd(tx, { kind: row.kind, subjectId: row.subject_id, isCancelled: cancelled })
      }
      return rows.length
    })
  }

  /**
   * Cancels a job: a queued job immediately (`cancelled`), a running one at its worker's next heartbeat
   * (`requested`). Undefined when it has ended or does not exist.
   */
  async cancel(tx: Tx, id: string): Promise<'cancelled' | 'requested' | undefined> {
    const [job] = await tx.$queryRaw<{ state: string }[]>`SELECT state FROM jobs WHERE id = ${id} FOR UPDATE`
    if (job?.state === 'queued') {
      await tx.$executeRaw`
        UPDATE jobs SET state = 'cancelled', cancel_requested = 1, finished_at = UTC_TIMESTAMP(3),
          error_code = 'CANCELLED', error_detail = 'The job was cancelled.' WHERE id = ${id}`
      return 'cancelled'
    }
    if (job?.state !== 'running') return undefined
    await tx.job.updateMany({ where: { id }, data: { cancelRequested: true } })
    return 'requested'
  }

  /** Returns how many jobs of each kind are queued or running, and for how many seconds the oldest due one has waited. */
  async depth(): Promise<{ kind: string; state: string; jobs: number; waitedSeconds: number }[]> {
    const rows = await this.#mysql.run(
      'jobQueueDepth',
      (db) => db.$queryRaw<{ kind: string; state: string; jobs: bigint; waited: bigint | null }[]>`
        SELECT kind, state, COUNT(*) AS jobs,
          MAX(IF(state = 'queued', TIMESTAMPDIFF(SECOND, due_at, UTC_TIMESTAMP(3)), 0)) AS waited
        FROM jobs WHERE state IN ('queued', 'running') GROUP BY kind, state`,
    )
    return rows.map(({ kind, state, jobs, waited }) => ({
      ...{ kind, state },
      jobs: Number(jobs),
      // A job that waits for its next attempt is due in the future.
      waitedSeconds: Math.max(0, Number(waited ?? 0)),
    }))
  }

  /** Requeues a failed or cancelled job. Returns false in any other state. */
  async retry(tx: Tx, id: string): Promise<boolean> {
    const changed = await tx.$executeRaw`
      UPDATE jobs SET state = 'queued', due_at = UTC_TIMESTAMP(3), attempts = 0, losses = 0, progress = 0,
        stage = NULL, cancel_requested = 0, error_code = NULL, error_detail = NULL, finished_at = NULL
      WHERE id = ${id} AND state IN ('failed', 'cancelled')`
    return changed === 1
  }

  /** Registers a worker, for the monitor. */
  async announce(worker: string, slots: number): Promise<void> {
    await this.#mysql.run(
      'announceWorker',
      (db) => db.$executeRaw`
        INSERT INTO workers (id, slots, started_at, seen_at)
        VALUES (${worker}, ${slots}, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))
        ON DUPLICATE KEY UPDATE seen_at = UTC_TIMESTAMP(3)`,
    )
  }

  async retire(worker: string): Promise<void> {
    await this.#mysql.run('retireWorker', (db) => db.worker.deleteMany({ where: { id: worker } }))
  }

  /** Removes old finished jobs and lost workers in small batches. */
  async purge(): Promise<void> {
    await this.#mysql.run('purgeJobs', async (db) => {
      await db.$executeRaw`
        DELETE FROM jobs WHERE finished_at < UTC_TIMESTAMP(3) - INTERVAL 30 DAY ORDER BY finished_at LIMIT 500`
      await db.$executeRaw`DELETE FROM workers WHERE seen_at < UTC_TIMESTAMP(3) - INTERVAL 1 DAY`
    })
  }
}
