import type { z } from 'zod'
import { Problem } from './problem.ts'

/** What is wrong, field by field, in words for whoever wrote the client. */
export function validationProblem(error: z.ZodError, place: string): Problem {
  return new Problem('VALIDATION_FAILED', { errors: error.issues.flatMap((issue) => describe(issue, place)) })
}

function describe(issue: z.core.$ZodIssue, place: string): { field: string; message: string }[] {
  const at = (path: readonly PropertyKey[]) => (path.length === 0 ? place : path.join('.'))
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: at([...issue.path, key]), message: 'Unknown field.' }))
  }
  const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
  return [{ field: at(issue.path), message: missing ? 'Required.' : issue.message }]
}
