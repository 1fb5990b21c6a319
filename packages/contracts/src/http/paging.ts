import { z } from 'zod'
import { opaqueText } from '../text/text.ts'

const decimal = /^-?\d{1,16}$/

interface NumberRange {
  readonly min?: number
  readonly max?: number
  readonly example?: number
}

/**
 * Returns a schema of a whole number in a path or a query string, in decimal digits: rejects `0x10`, `1e3`
 * and `+1`. Every failure has the same message, which names the range.
 */
export function wholeNumber({ min = 0, max, example }: NumberRange = {}) {
  const message =
    max === undefined ? `A whole number, ${min} or greater.` : `A whole number from ${min} to ${max}.`
  const atLeast = z.int(message).min(min, message)
  const inRange = max === undefined ? atLeast : atLeast.max(max, message)
  return z.preprocess(
    (value) => (typeof value === 'string' && decimal.test(value) ? Number(value) : value),
    example === undefined ? inRange : inRange.meta({ examples: [example] }),
  )
}

/** Number of items per page. */
export const pageLimit = wholeNumber({ min: 1, max: 100 })
  .default(20)
  .meta({ description: 'Items per page: 20 by default, at most 100.' })

/** The query of every cursor-paged list. */
export const pageQuery = z.object({
  limit: pageLimit,
  cursor: opaqueText({ max: 200, min: 0 })
    .optional()
    .meta({ description: '`next_cursor` of the previous page, unchanged.' }),
})

/** Returns the schema of a page of a list: `next_cursor` is null on the last page. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable() })
}

/** Returns the successful response of a cursor-paged list. @param example one item */
export function onePage<Item extends z.ZodType>(item: Item, description: string, example: z.input<Item>) {
  return {
    status: 200,
    description,
    schema: pageOf(item),
    example: { items: [example], next_cursor: null },
  } as const
}

/** An id in a path or a query string. */
export const idParam = wholeNumber({ min: 1, example: 42 })

/** Returns a schema that parses `1,2,3` into at most `max` distinct ids. */
export function idList(max: number) {
  return z
    .string()
    .max(max * 20, { abort: true, error: `At most ${max} ids.` })
    .transform((text): unknown[] => [...new Set(text.split(',').map((part) => part.trim()))].filter(Boolean))
    .pipe(z.array(idParam).min(1, 'At least one id.').max(max, `At most ${max} ids.`))
}
