const BUDGET_MS = 3_000

/**
 * Repeats a step that changes at most `limit` rows until a step changes fewer, for 3 s at most: no statement
 * runs long, and the next call continues where this one stopped.
 */
export async function inBatches(limit: number, step: (limit: number) => Promise<number>): Promise<void> {
  const until = Date.now() + BUDGET_MS
  while ((await step(limit)) === limit && Date.now() < until);
}
