import { z } from 'zod'

/** The query of every cursor-paged list. */
export const pageQuery = z.object({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(100)
    .default(20)
    .meta({ description: 'Items a page, at most 100.' }),
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
export const idParam = z.coerce
  .number()
  .int()
  .positive()
  .max(Number.MAX_SAFE_INTEGER)
  .meta({ examples: [42] })

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
