import { z } from 'zod'

const ERRORS_PAGE = '/docs/errors'

/** Returns the `type` of a problem: a link that resolves at the gateway and at each service. */
export function problemType(code: string): string {
  return `${ERRORS_PAGE}#${code}`
}

/** RFC 9457 `application/problem+json`, with the members our clients rely on. */
export const problemBody = z.object({
  type: z.string().meta({ examples: [problemType('VALIDATION_FAILED')] }),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  instance: z.string().optional(),
  code: z.string().meta({ description: 'Stable; listed in docs/errors.md.' }),
  request_id: z.string(),
  errors: z
    .array(z.object({ field: z.string(), message: z.string() }))
    .optional()
    .meta({ description: 'For validation errors: each invalid field and the reason.' }),
  challenge: z
    .object({ token: z.string(), methods: z.array(z.enum(['code', 'passkey'])), expires_in: z.int() })
    .optional()
    .meta({
      description:
        'With `SECOND_FACTOR_REQUIRED` at a sign-in: the challenge to complete. `expires_in` is in seconds.',
    }),
})

export type ProblemBody = z.infer<typeof problemBody>
