import { z } from 'zod'

const inDigits = 'A whole number, in digits.'

/** A whole number in a path or a query string, in decimal digits: `0x10`, `1e3` and `+1` are none. */
export function wholeNumber<Schema extends z.ZodType<number>>(schema: Schema) {
  return z.preprocess(
    (value) => (typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value),
    schema,
  )
}

/** How many items a page has. */
export const pageLimit = wholeNumber(z.int(inDigits).min(1).max(100))
  .default(20)
  .meta({ description: 'Items a page: 20 unless told, at most 100.' })

/** The query of every cursor-paged list. */
export const pageQuery = z.object({
  limit: pageLimit,
  cursor: z
    .string()
    .max(200)
    .optional()
    .meta({ description: '`next_cursor` of the page before, as it came.' }),
})

/** A page of a list: `next_cursor` is null on the last one. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable() })
}

/** An id in a path or a query string. */
export const idParam = wholeNumber(
  z
    .int(inDigits)
    .positive()
    .meta({ examples: [42] }),
)

/** `1,2,3` as a list of distinct ids, at most `max` of them. */
export function idList(max: number) {
  return z
    .string()
    .transform((text) =>
      [
        ...new Set(
          text
            .split(',')
            .map((part) => part.trim())
            .filter(Boolean),
        ),
      ].map(Number),
    )
    .pipe(
      z
        .array(z.int('Ids are integers, separated by commas.').positive())
        .min(1, 'At least one id.')
        .max(max, `At most ${max} ids.`),
    )
}
