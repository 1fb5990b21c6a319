const BUDGET_MS = 3_000

/**
 * Repeats a step that changes at most `limit` rows until a step changes fewer, for at most 3 s: keeps every
 * statement short; the next call continues.
 */
export async function inBatches(limit: number, step: (limit: number) => Promise<number>): Promise<void> {
  const until = Date.now() + BUDGET_MS
  while ((await step(limit)) === limit && Date.now() < until);
}
