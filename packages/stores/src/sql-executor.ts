/**
 * An executor of statements in the caller's transaction: Prisma's transaction client (`$executeRawUnsafe`) or
 * a connection of the MariaDB connector (`query`).
 */
export type SqlExecutor =
  | { $executeRawUnsafe(sql: string, ...values: unknown[]): PromiseLike<number> }
  | { query(sql: string, values?: unknown[]): PromiseLike<unknown> }

/** Runs a constant statement; returns the number of changed rows. */
export async function execute(tx: SqlExecutor, sql: string, values: readonly unknown[]): Promise<number> {
  if ('$executeRawUnsafe' in tx) return tx.$executeRawUnsafe(sql, ...values)
  const result = (await tx.query(sql, [...values])) as { affectedRows?: number }
  return result.affectedRows ?? 0
}
