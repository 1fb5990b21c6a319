import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'

export interface Chore {
  readonly name: string
  readonly everyMs: number
  readonly run: () => Promise<unknown>
}

/** Runs small chores again and again until it is stopped; a failed one waits for its next turn. */
export function startChores(chores: readonly Chore[], log: Logger): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const loops = chores.map((chore) => repeat(chore, log, stopping.signal))
  return {
    stop: async () => {
      stopping.abort()
      await Promise.all(loops)
    },
  }
}

async function repeat(chore: Chore, log: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await chore.run().catch((err: unknown) => log.warn({ err, chore: chore.name }, 'chore failed'))
    await sleep(chore.everyMs, undefined, { signal }).catch(() => undefined)
  }
}
