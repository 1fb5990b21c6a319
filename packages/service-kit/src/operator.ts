import { createHash, timingSafeEqual } from 'node:crypto'
import type { onRequestAsyncHookHandler } from 'fastify'
import { bearerToken } from './auth.ts'
import { Problem } from './problem.ts'

/**
 * Returns a hook that rejects requests without the operator token of the installation.
 * @param operatorToken undefined rejects every request.
 */
export function requireOperator(operatorToken: string | undefined): onRequestAsyncHookHandler {
  return async (request) => {
    const token = bearerToken(request.headers.authorization)
    if (!operatorToken || !isSame(token, operatorToken))
      throw new Problem('TOKEN_INVALID', { detail: 'Requires the operator token of this installation.' })
  }
}

/** Compares hashes: the comparison time must reveal neither content nor length. */
function isSame(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(a), hash(b))
}
