import { createFaultProxy, type FaultProxy, type ServiceProcess, waitFor } from '@bigtech/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Harness, newId, startHarness } from '../../../testing/harness.ts'
import type { Tx } from '../../infrastructure/mysql.ts'
import { JobRepository } from './job.repository.ts'
import { JobFailure } from './job.ts'
import { JobWorker } from './job-worker.ts'

const LEASE_SECONDS = 2
let media: Harness
beforeAll(async () => {
  media = await startHarness({ JOB_LEASE_SECONDS: String(LEASE_SECONDS), JOB_HEARTBEAT_MS: '400' })
  // Every job below is run by the workers that its test starts.
  await media.worker.stop()
}, 90_000)
afterAll(() => media?.stop())

/** Started by a test; a worker that outlives its test would run the jobs of the next one. */
const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(cleanUps.splice(0).map((cleanUp) => cleanUp()))
})

const jobsOf = (userId: number) =>
  media.mysql.query<{ id: string; state: string; attempts: number; losses: number }>(
    'SELECT id, state, attempts, losses FROM jobs WHERE owner_id = ?',
    [userId],
  )
const eventsOf = (userId: number) =>
  media.mysql.query("SELECT 1 FROM outbox WHERE event_type = 'FileReady' AND msg_key = ?", [String(userId)])
const note = { name: 'a.txt', mime: 'text/plain', bytes: new Uint8Array(Buffer.from('hello')) }

/** Starts a worker in a separate process. Behind a frozen proxy it holds its job as long as needed. */
async function startWorker(s3?: FaultProxy): Promise<ServiceProcess> {
  const url = s3 ? { S3_URL: `http://127.0.0.1:${s3.port}` } : {}
  const process = await media.another('worker', { WORKER_SLOTS: '1', ...url })
  cleanUps.push(() => process.stop())
  return process
}

/** Maximum age of MySQL's cached list of transactions. */
const TRANSACTIONS_CACHED_MS = 100

/**
 * Pauses a worker between two transactions. Inside one, its locks would remain until its connection ends,
 * and no other worker could take the job.
 */
async function pause(worker: ServiceProcess): Promise<void> {
  await waitFor(async () => {
    worker.signal('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, TRANSACTIONS_CACHED_MS * 1.5))
    const [row] = await media.mysql.query<{ open: number }>(
      `SELECT COUNT(*) AS open FROM information_schema.innodb_trx t
       JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
       WHERE p.db = DATABASE() AND p.id <> CONNECTION_ID()`,
    )
    if (Number(row?.open) === 0) return true
    worker.signal('SIGCONT')
    return false
  })
}

/** Starts a worker that has claimed a job of the user and waits for its bytes. */
async function stuckWorker(userId: number) {
  const proxy = await createFaultProxy({ host: '127.0.0.1', port: Number(new URL(media.env.S3_URL!).port) })
  cleanUps.push(() => proxy.close())
  const process = await startWorker(proxy)
  proxy.freeze()
  await media.upload(userId, note)
  await waitFor(async () => (await jobsOf(userId))[0]?.state === 'running', { timeoutMs: 40_000 })
  return { proxy, process }
}

const isDone = (userId: number) =>
  waitFor(async () => (await jobsOf(userId))[0]?.state === 'succeeded', { timeoutMs: 60_000 })

describe('a job', { timeout: 180_000 }, () => {
  it('a job is completed once by another worker when its worker is killed', async () => {
    const userId = newId()
    const { process } = await stuckWorker(userId)
    process.signal('SIGKILL')
    await startWorker()
    await isDone(userId)
    expect(await jobsOf(userId)).toMatchObject([{ attempts: 2, losses: 1 }])
    expect(await eventsOf(userId)).toHaveLength(1)
  })

  it('a job keeps one result when its worker is paused past the lease and then resumes', async () => {
    const userId = newId()
    const { proxy, process } = await stuckWorker(userId)
    await pause(process)
    await startWorker()
    await isDone(userId)
    await proxy.restore()
    process.signal('SIGCONT')
    const jobLines = () => process.lines.filter((line) => line.includes('job'))
    await waitFor(jobLines, {
      until: (lines) => lines.some((line) => line.includes('lease_lost')),
      timeoutMs: 60_000,
      what: 'the late end to be refused',
    })
    expect(await jobsOf(userId)).toMatchObject([{ state: 'succeeded', attempts: 2, losses: 1 }])
    expect(await eventsOf(userId)).toHaveLength(1)
  })
})

describe('web processes and workers', { timeout: 420_000 }, () => {
  it('three web processes accept uploads while no worker runs, and five workers run each job once', async () => {
    const webs = await Promise.all(Array.from({ length: 3 }, () => media.another('web')))
    for (const web of webs) cleanUps.push(() => web.stop())
    const userId = newId()
    const authorization = `Bearer ${await media.token(userId)}`
    for (const [index, url] of webs.map((web) => web.url).entries()) {
      // A process that has just started returns 503 until it has reached its stores.
      await waitFor(async () => (await fetch(`${url}/ready`)).ok, {
        timeoutMs: 60_000,
        what: 'web to be ready',
      })
      for (let upload = 0; upload < 2; upload++) {
        const body = new FormData()
        body.set('file', new Blob([note.bytes], { type: note.mime }), `${index}-${upload}.txt`)
        const answer = await fetch(`${url}/files`, { method: 'POST', headers: { authorization }, body })
        expect(answer.status).toBe(201)
      }
    }
    expect((await jobsOf(userId)).map(({ state }) => state)).toEqual(Array(6).fill('queued'))
    const metrics = await (await fetch(`${webs[0]!.url}/metrics`)).text()
    expect(metrics).toMatch(/^media_jobs\{[^}]*state="queued"[^}]*\} [1-9]/m)
    expect(metrics).toMatch(/^media_job_queue_age_seconds\{[^}]*kind="check_file"[^}]*\} \d/m)
    const started = await Promise.all(Array.from({ length: 5 }, () => media.another('worker')))
    for (const worker of started) cleanUps.push(() => worker.stop())
    expect(new Set([...webs, ...started].map(({ pid }) => pid)).size).toBe(8)
    await waitFor(async () => (await jobsOf(userId)).every(({ state }) => state === 'succeeded'), {
      timeoutMs: 180_000,
    })
    expect(await eventsOf(userId)).toHaveLength(6)
  })
})

/** Workers in this process whose jobs are controlled by the test. */
function workers(
  count: number,
  run: (subjectId: string, signal: AbortSignal) => Promise<(tx: Tx) => Promise<unknown>>,
) {
  const { mysql } = media.web.stores
  const jobs = new JobRepository(mysql, LEASE_SECONDS)
  const failed: string[] = []
  const all = Array.from(
    { length: count },
    (_worker, index) =>
      new JobWorker({
        id: `test-${index}-${crypto.randomUUID()}`,
        jobs,
        handlers: {
          check_file: {
            run: (job, { signal }) => run(job.subjectId, signal),
            onFailed: async (_tx, subjectId, { code }) => void failed.push(`${subjectId} ${code}`),
          },
        },
        metrics: { duration: { startTimer: () => () => 0 }, lost: { inc: () => undefined } } as never,
        log: media.web.log,
        slots: 2,
        pollMs: 20,
        heartbeatMs: 200,
        onFinished: () => undefined,
      }),
  )
  for (const worker of all) worker.start()
  const stop = () => Promise.all(all.map((worker) => worker.stop()))
  cleanUps.push(stop)
  return { jobs, failed, stop }
}

const enqueue = (ownerId: number, priorities: readonly number[]) => {
  const { mysql, jobs } = media.web.stores
  return mysql.transaction('test', async (tx) => {
    const ids = []
    for (const priority of priorities) {
      const subjectId = crypto.randomUUID()
      await jobs.enqueue(tx, { kind: 'check_file', subjectId, ownerId, requestId: 'test', priority })
      ids.push(subjectId)
    }
    return ids
  })
}

describe('the queue', { timeout: 180_000 }, () => {
  it('the queue assigns each of 200 jobs to one of three workers, urgent ones first', async () => {
    const userId = newId()
    const priorities = Array.from({ length: 200 }, (_job, index) => index % 3)
    const ids = await enqueue(userId, priorities)
    const done: string[] = []
    const running = workers(3, async (subjectId) => async () => void done.push(subjectId))
    await waitFor(async () => (await jobsOf(userId)).every(({ state }) => state === 'succeeded'), {
      timeoutMs: 150_000,
    })
    await running.stop()
    expect([...done].sort()).toEqual([...ids].sort())
    const order = done.map((id) => priorities[ids.indexOf(id)]!)
    // Six slots run concurrently, so a few neighboring jobs may swap.
    const mean = (priority: number) => {
      const places = order.flatMap((each, place) => (each === priority ? [place] : []))
      return places.reduce((sum, place) => sum + place, 0) / places.length
    }
    expect(mean(0)).toBeLessThan(mean(1))
    expect(mean(1)).toBeLessThan(mean(2))
    expect(order.slice(0, 40).every((priority) => priority === 0)).toBe(true)
  })

  it('the queue retries a temporary error, and reports a permanent one to the owner', async () => {
    const userId = newId()
    const [flaky, broken] = (await enqueue(userId, [1, 1])) as [string, string]
    let attempts = 0
    const running = workers(1, async (subjectId) => {
      if (subjectId === broken) throw new JobFailure('BROKEN', 'It is broken.')
      attempts += 1
      if (attempts < 2) throw new Error('a hiccup')
      return async () => undefined
    })
    await waitFor(
      async () => (await jobsOf(userId)).every(({ state }) => state === 'succeeded' || state === 'failed'),
      { timeoutMs: 60_000 },
    )
    await running.stop()
    expect(running.failed).toEqual([`${broken} BROKEN`])
    expect(attempts).toBe(2)
    const rows = await media.mysql.query('SELECT state, error_code FROM jobs WHERE subject_id = ?', [flaky])
    expect(rows).toEqual([{ state: 'succeeded', error_code: null }])
  })

  it('a cancellation reaches a running job within two heartbeats', async () => {
    const userId = newId()
    await enqueue(userId, [1])
    let aborted = false
    const running = workers(1, (_subject, signal) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true
          reject(new Error('aborted'))
        })
      })
    })
    await waitFor(async () => (await jobsOf(userId))[0]?.state === 'running', { timeoutMs: 30_000 })
    await media.mysql.query('UPDATE jobs SET cancel_requested = 1 WHERE owner_id = ?', [userId])
    await waitFor(async () => (await jobsOf(userId))[0]?.state === 'cancelled', { timeoutMs: 6_000 })
    expect(aborted).toBe(true)
    await running.stop()
  })
})
