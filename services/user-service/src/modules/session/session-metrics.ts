import { Problem, startAtZero } from '@bigtech/service-kit'
import { Counter, type Registry } from 'prom-client'

export interface SessionMetrics {
  readonly logins: Counter<'result'>
  readonly refreshes: Counter<'result'>
}

const loginResults = [
  'success',
  'second_factor',
  'invalid',
  'suspended',
  'limited',
  'overloaded',
  'unavailable',
  'error',
]
const refreshResults = ['rotated', 'repeated', 'refused', 'reuse']

export function createSessionMetrics(registry: Registry): SessionMetrics {
  const metrics = {
    logins: new Counter({
      name: 'user_logins_total',
      help: 'Sign-ins: success, second_factor (a code is required), invalid, limited, overloaded, unavailable, error.',
      labelNames: ['result'],
      registers: [registry],
    }),
    refreshes: new Counter({
      name: 'session_refreshes_total',
      help: 'Refreshes: rotated, repeated (the parent of an unused token), refused, reuse (session ended).',
      labelNames: ['result'],
      registers: [registry],
    }),
  }
  startAtZero(metrics.logins, { result: loginResults })
  startAtZero(metrics.refreshes, { result: refreshResults })
  return metrics
}

/** Returns the `result` label of a failed sign-in. */
export function loginResult(err: unknown): string {
  if (!(err instanceof Problem)) return 'error'
  if (err.code === 'SECOND_FACTOR_REQUIRED') return 'second_factor'
  if (
    ['CREDENTIALS_INVALID', 'SECOND_FACTOR_WRONG', 'CHALLENGE_INVALID', 'PASSKEY_REFUSED'].includes(err.code)
  ) {
    return 'invalid'
  }
  if (err.code === 'ACCOUNT_SUSPENDED') return 'suspended'
  if (err.code === 'LOGIN_LIMITED' || err.code === 'RATE_LIMITED') return 'limited'
  return err.code === 'OVERLOADED' ? 'overloaded' : 'unavailable'
}
