import { randomInt } from 'node:crypto'
import { username } from '@bigtech/contracts'

/** Leaves room for a dot and four digits within the 20 characters of a username. */
const MAX_BASE = 15
const ATTEMPTS = 8
const FALLBACK = 'user'

/**
 * Returns username candidates for a sign-up without a chosen one, best first. Derived from the name, never
 * from the address, because a username is public.
 */
export function usernameCandidates(name: string | undefined): string[] {
  const letters = (name ?? '').normalize('NFC').replace(/[^\p{L}\p{M}\p{N}_.]/gu, '')
  const base = Array.from(letters).slice(0, MAX_BASE).join('')
  const bases = isUsable(`${base}.1000`) ? [base, FALLBACK] : [FALLBACK]
  const numbered = bases.flatMap((one) =>
    Array.from({ length: ATTEMPTS }, () => `${one}.${randomInt(1_000, 10_000)}`),
  )
  // Wide enough for a user with a common name to succeed on the first attempt.
  return [
    ...(isUsable(base) ? [base] : []),
    ...numbered,
    `${FALLBACK}.${randomInt(100_000_000, 1_000_000_000)}`,
  ]
}

function isUsable(candidate: string): boolean {
  return username.safeParse(candidate).success
}
