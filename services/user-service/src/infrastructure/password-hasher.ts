import { randomBytes } from 'node:crypto'
import { maxPasswordBytes, utf8Length } from '@bigtech/contracts'
import { Problem, type Service, startAtZero } from '@bigtech/service-kit'
import { Piscina } from 'piscina'
import { Counter, Gauge } from 'prom-client'
import type { PasswordTask } from './password-worker.ts'

/**
 * Hashes and compares passwords on dedicated threads. When `signal` aborts (the caller disconnected, or its
 * deadline passed) a queued task is dropped and a running one rejects, so that nothing is stored for a lost
 * caller.
 */
export interface PasswordHasher {
  /** Hashes a password. @throws Problem OVERLOADED when the queue is full or `signal` has aborted */
  hash(password: string, signal?: AbortSignal): Promise<string>
  /**
   * Compares a password. Takes the same time with and without a hash to compare. @throws Problem OVERLOADED,
   * as `hash`
   */
  compare(password: string, hash: string | null, signal?: AbortSignal): Promise<boolean>
}

/** Approximate duration of one hash of cost 12; each cost step doubles it. */
const COST_12_SECONDS = 0.35
/** Starting a thread takes about 0.1 s: longer than pauses between sign-ins of a used process. */
const IDLE_THREAD_MS = 5 * 60_000
const BCRYPT_ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/**
 * Opens the password threads. Dedicated threads, because libuv's pool also serves files and DNS, which would
 * wait behind passwords. They run at a lower priority than the request thread (ADR 7), and the queue is
 * limited to what can be served soon.
 */
export function openPasswordHasher(
  service: Service,
  options: { cost: number; workers: number; queue: number },
): PasswordHasher {
  const pool = new PasswordPool(service, options)
  service.lifecycle.onStop('stores', 'password workers', () => pool.stop())
  const comparisons = new Counter({
    name: 'password_comparisons_total',
    help: 'Password comparisons; `against` is `dummy` when there was no account.',
    labelNames: ['against'] as const,
    registers: [service.metrics],
  })
  startAtZero(comparisons, { against: ['account', 'dummy'] })
  const dummy = dummyHash(options.cost)
  return {
    hash: (password, signal) => pool.run({ kind: 'hash', password, cost: options.cost }, signal),
    compare: async (password, hash, signal) => {
      // bcrypt would compare only the first 72 bytes and report a match.
      const known = hash !== null && utf8Length(password) <= maxPasswordBytes
      const task = { kind: 'compare', password, hash: known ? hash : dummy } as const
      const equal = await pool.run<boolean>(task, signal)
      comparisons.inc({ against: known ? 'account' : 'dummy' })
      return known && equal
    },
  }
}

/**
 * Returns a hash of no password, for comparisons that must take as long as any other: a valid salt and a random result,
 * in bcrypt's alphabet.
 */
function dummyHash(cost: number): string {
  const random = randomBytes(53).map((byte) => BCRYPT_ALPHABET.charCodeAt(byte % BCRYPT_ALPHABET.length))
  return `$2b$${String(cost).padStart(2, '0')}$${Buffer.from(random).toString('latin1')}`
}

/** Runs tasks on piscina's threads and maps pool rejections to problems. */
class PasswordPool {
  readonly #pool: Piscina<PasswordTask, string | boolean>
  readonly #options: { cost: number; workers: number; queue: number }
  readonly #dropped: Counter
  #stopped = false

  constructor(service: Service, options: { cost: number; workers: number; queue: number }) {
    this.#options = options
    const pool = new Piscina<PasswordTask, string | boolean>({
      filename: new URL('./password-worker.ts', import.meta.url).href,
      // A thread takes 30 MB, so a process has none until its first sign-in.
      minThreads: 0,
      maxThreads: options.workers,
      idleTimeout: IDLE_THREAD_MS,
      // The process's flags (tracing, test runners) must not apply to these threads.
      execArgv: [],
    })
    this.#pool = pool
    pool.on('error', (err) => service.log.error({ err }, 'password worker failed'))
    this.#dropped = new Counter({
      name: 'password_hashes_dropped_total',
      help: 'Password hashes dropped because the caller disconnected or its deadline passed.',
      registers: [service.metrics],
    })
    new Gauge({
      name: 'password_hashes_waiting',
      help: 'Password hashes waiting for a free thread.',
      registers: [service.metrics],
      collect() {
        this.set(pool.queueSize)
      },
    })
  }

  /** Runs a task. @throws Problem OVERLOADED when the queue is full or `signal` has aborted, SHUTTING_DOWN */
  async run<Result extends string | boolean>(task: PasswordTask, signal?: AbortSignal): Promise<Result> {
    if (this.#pool.queueSize >= this.#options.queue) throw this.#overloaded()
    try {
      return (await this.#pool.run(task, { signal: signal ?? null })) as Result
    } catch (err) {
      if (this.#stopped) throw new Problem('SHUTTING_DOWN', { cause: err })
      if (!signal?.aborted) throw err
      this.#dropped.inc()
      throw this.#overloaded(err)
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#pool.destroy()
  }

  #overloaded(cause?: unknown): Problem {
    const { cost, workers } = this.#options
    const hashSeconds = COST_12_SECONDS * 2 ** (cost - 12)
    const retryAfterSeconds = Math.ceil(((this.#pool.queueSize + 1) * hashSeconds) / workers)
    return new Problem('OVERLOADED', { retryAfterSeconds, cause })
  }
}
