import { type ProblemCode, problems } from '../problems.ts'
import type { RouteContract } from './define-route.ts'

/** Returns the error codes of an operation by status: its own and the common codes of its kind. */
export function problemCodesOf(contract: RouteContract): ReadonlyMap<number, readonly ProblemCode[]> {
  const { auth = 'bearer', body, query, params } = contract
  const codes = new Set<ProblemCode>(contract.problems ?? [])
  const add = (...more: ProblemCode[]) => {
    for (const code of more) codes.add(code)
  }
  if (auth === 'bearer') add('NOT_AUTHENTICATED', 'TOKEN_INVALID', 'SESSION_REVOKED')
  if (contract.role) add('ACCOUNT_ROLE_REQUIRED')
  if (body) add('BODY_NOT_JSON', 'BODY_NOT_UTF8', 'PAYLOAD_TOO_LARGE', 'MEDIA_TYPE_UNSUPPORTED')
  if (body || query || params) add('VALIDATION_FAILED')
  add('UNAVAILABLE')
  const statuses = [...new Set([...codes].map((code) => problems[code].status))].sort((a, b) => a - b)
  return new Map(
    statuses.map((status) => [status, [...codes].filter((code) => problems[code].status === status)]),
  )
}
