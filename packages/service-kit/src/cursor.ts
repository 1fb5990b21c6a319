import type { z } from 'zod'
import { Problem } from './problem.ts'

/** Encodes a list position as an opaque string. Not a secret: it selects only items visible to the reader. */
export function encodeCursor(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

/** Decodes a cursor. @throws Problem CURSOR_INVALID when it does not belong to this list */
export function decodeCursor<Schema extends z.ZodType>(
  schema: Schema,
  cursor: string | undefined,
): z.output<Schema> | undefined {
  if (cursor === undefined) return undefined
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
  } catch (cause) {
    throw new Problem('CURSOR_INVALID', {
      errors: [{ field: 'cursor', message: 'Pass `next_cursor` of the previous page unchanged.' }],
      cause,
    })
  }
}

/**
 * Builds a page from rows fetched with `limit + 1`: the extra row indicates a next page without a count.
 */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  position: (row: Row) => unknown,
  item: (row: Row) => Item,
): { items: Item[]; next_cursor: string | null } {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return {
    items: page.map(item),
    next_cursor: rows.length > limit && last !== undefined ? encodeCursor(position(last)) : null,
  }
}
