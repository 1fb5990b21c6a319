import { classifyStoreError } from './errors.ts'
import type { Statement } from './hot-pool.ts'

interface Waiting {
  readonly statement: Statement
  resolve(exists: boolean): void
  reject(err: unknown): void
}

type Answer = Readonly<Record<string, unknown>>

/**
 * Asks whether queries have rows. The periodic jobs of an idle process run at the same moment and find nothing to do: one statement
 * answers all of them.
 */
export class ExistenceChecks {
  readonly #read: (statement: Statement) => Promise<readonly Answer[]>
  #waiting: Waiting[] = []

  constructor(read: (statement: Statement) => Promise<readonly Answer[]>) {
    this.#read = read
  }

  /** Resolves to whether the query has rows. @throws what the read throws */
  has(statement: Statement): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ statement, resolve, reject })
      // After the jobs whose timers expire in this turn of the event loop.
      if (this.#waiting.length === 1) setImmediate(() => void this.#ask(this.#waiting.splice(0)))
    })
  }

  async #ask(batch: readonly Waiting[]): Promise<void> {
    try {
      const sql = batch.map(({ statement }, index) => `EXISTS (${statement.sql}) AS c${index}`).join(', ')
      const values = batch.flatMap(({ statement }) => statement.values)
      const [answer] = await this.#read({ sql: `SELECT ${sql}`, values })
      for (const [index, { resolve }] of batch.entries()) resolve(Number(answer?.[`c${index}`]) === 1)
    } catch (err) {
      if (batch.length === 1 || classifyStoreError(err) === 'unavailable')
        for (const { reject } of batch) reject(err)
      // A query that fails must not stop the jobs of the others.
      else for (const each of batch) void this.#ask([each])
    }
  }
}
