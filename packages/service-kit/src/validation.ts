import type { z } from 'zod'
import { Problem } from './problem.ts'

/** Limits the errors, so that a response is never much larger than its request. */
const MAX_ERRORS = 20
const MAX_FIELD_CHARACTERS = 100

/** Returns a problem that lists the invalid fields for the client's developer; at most 20. */
export function validationProblem(error: z.ZodError, place: string): Problem {
  const errors: { field: string; message: string }[] = []
  for (const issue of error.issues) {
    if (errors.length >= MAX_ERRORS) break
    errors.push(...describe(issue, place).slice(0, MAX_ERRORS - errors.length))
  }
  return new Problem('VALIDATION_FAILED', { errors })
}

function describe(issue: z.core.$ZodIssue, place: string): { field: string; message: string }[] {
  const at = (path: readonly PropertyKey[]) =>
    path.length === 0 ? place : path.join('.').slice(0, MAX_FIELD_CHARACTERS)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .slice(0, MAX_ERRORS)
      .map((key) => ({ field: at([...issue.path, key]), message: 'Unknown field.' }))
  }
  const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
  return [{ field: at(issue.path), message: missing ? 'Required.' : issue.message }]
}
