const BUDGET_MS = 3_000

/**
 * Repeats a step that changes at most `limit` rows until one finds fewer: no statement is long, and nothing
 * piles up. For 3 s at most; what is left is for the next turn.
 */
export async function inSteps(limit: number, step: (limit: number) => Promise<number>): Promise<void> {
  const until = Date.now() + BUDGET_MS
  while ((await step(limit)) === limit && Date.now() < until);
}
