import { Worker } from 'node:worker_threads'
import { maxPasswordBytes, utf8Length } from '@bigtech/contracts'
import { Problem, type Service } from '@bigtech/service-kit'
import { Counter, Gauge } from 'prom-client'
import type { PasswordTask } from './password-worker.ts'

/**
 * Hashes and compares passwords on threads of its own. Once `signal` aborts (the caller has gone, or its deadline
 * has passed) a queued task is dropped and a running one rejects, so that nothing is stored for nobody.
 */
export interface PasswordHasher {
  /** @throws Problem OVERLOADED when too many are waiting, or `signal` has aborted. */
  hash(password: string, signal?: AbortSignal): Promise<string>
  /** Takes the same time whether there is a hash to compare with or not. @throws Problem OVERLOADED as `hash`. */
  compare(password: string, hash: string | null, signal?: AbortSignal): Promise<boolean>
}

interface Job {
  readonly task: PasswordTask
  readonly signal: AbortSignal | undefined
  readonly resolve: (result: unknown) => void
  readonly reject: (err: Error) => void
}

interface Slot {
  worker: Worker
  job: Job | undefined
}

/** About what one hash of cost 12 takes; each step of cost doubles it. */
const COST_12_SECONDS = 0.35

/**
 * Threads of its own, not libuv's pool: that one also serves files and DNS, which would wait
 * behind passwords. The threads run at a lower priority than the one that answers requests
 * (ADR 7), and no more wait than can be served soon.
 */
export function openPasswordHasher(
  service: Service,
  options: { cost: number; workers: number; queue: number },
): PasswordHasher {
  const pool = new PasswordPool(service, options)
  service.lifecycle.onStop('stores', 'password workers', () => pool.stop())
  const comparisons = new Counter({
    name: 'password_comparisons_total',
    help: 'Passwords compared; `against` is `dummy` when there was no account.',
    labelNames: ['against'] as const,
    registers: [service.metrics],
  })
  // Never awaited at the start: the first sign-in of an unknown user waits for it, if it must.
  const dummy = pool.run<string>({ kind: 'hash', password: crypto.randomUUID(), cost: options.cost })
  dummy.catch(() => undefined)
  return {
    hash: (password, signal) => pool.run({ kind: 'hash', password, cost: options.cost }, signal),
    compare: async (password, hash, signal) => {
      // bcrypt would read the first 72 bytes and call it equal.
      const known = hash !== null && utf8Length(password) <= maxPasswordBytes
      const task = { kind: 'compare', password, hash: known ? hash : await dummy } as const
      const equal = await pool.run<boolean>(task, signal)
      comparisons.inc({ against: known ? 'account' : 'dummy' })
      return known && equal
    },
  }
}

class PasswordPool {
  readonly #slots: Slot[]
  readonly #waiting: Job[] = []
  readonly #options: { cost: number; workers: number; queue: number }
  readonly #service: Service
  readonly #dropped: Counter
  #stopped = false

  constructor(service: Service, options: { cost: number; workers: number; queue: number }) {
    this.#service = service
    this.#options = options
    this.#slots = Array.from({ length: options.workers }, () => this.#open())
    this.#dropped = new Counter({
      name: 'password_hashes_dropped_total',
      help: 'Password hashes given up because the caller had gone or its deadline had passed.',
      registers: [service.metrics],
    })
    const waiting = this.#waiting
    new Gauge({
      name: 'password_hashes_waiting',
      help: 'Password hashes that wait for a free thread.',
      registers: [service.metrics],
      collect() {
        this.set(waiting.length)
      },
    })
  }

  run<Result extends string | boolean>(task: PasswordTask, signal?: AbortSignal): Promise<Result> {
    if (signal?.aborted) return Promise.reject(this.#drop())
    const idle = this.#slots.find(({ job }) => job === undefined)
    if (!idle && this.#waiting.length >= this.#options.queue) {
      return Promise.reject(new Problem('OVERLOADED', { retryAfterSeconds: this.#secondsToClear() }))
    }
    return new Promise<Result>((resolve, reject) => {
      const job: Job = { task, signal, resolve: (result) => resolve(result as Result), reject }
      signal?.addEventListener('abort', () => this.#abandon(job), { once: true })
      if (idle) this.#give(idle, job)
      else this.#waiting.push(job)
    })
  }

  /** A queued job gives up its place at once; a running one is rejected when its thread is done. */
  #abandon(job: Job): void {
    const index = this.#waiting.indexOf(job)
    if (index === -1) return
    this.#waiting.splice(index, 1)
    job.reject(this.#drop())
  }

  #drop(): Problem {
    this.#dropped.inc()
    return new Problem('OVERLOADED', { retryAfterSeconds: this.#secondsToClear() })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const job of this.#waiting.splice(0)) job.reject(new Problem('SHUTTING_DOWN'))
    await Promise.all(this.#slots.map(({ worker }) => worker.terminate()))
  }

  #secondsToClear(): number {
    const { cost, workers } = this.#options
    return Math.ceil(((this.#waiting.length + 1) * COST_12_SECONDS * 2 ** (cost - 12)) / workers)
  }

  #open(): Slot {
    const slot: Slot = { worker: this.#start(() => slot), job: undefined }
    return slot
  }

  #start(slot: () => Slot): Worker {
    const worker = new Worker(new URL('./password-worker.ts', import.meta.url), {
      // The flags of the process (tracing, test runners) are not for these threads.
      execArgv: [],
    })
    // An idle thread must not keep the process alive; a running job does, by the request that waits for it.
    worker.unref()
    worker.on('message', (result: unknown) => this.#finish(slot(), (job) => job.resolve(result)))
    worker.on('error', (err: Error) => {
      this.#service.log.error({ err }, 'password worker died')
      if (this.#stopped) return
      slot().worker = this.#start(slot)
      this.#finish(slot(), (job) => job.reject(err))
    })
    return worker
  }

  #finish(slot: Slot, settle: (job: Job) => void): void {
    const { job } = slot
    slot.job = undefined
    if (job?.signal?.aborted) job.reject(this.#drop())
    else if (job) settle(job)
    const next = this.#waiting.shift()
    if (next) this.#give(slot, next)
  }

  #give(slot: Slot, job: Job): void {
    slot.job = job
    slot.worker.postMessage(job.task)
  }
}
