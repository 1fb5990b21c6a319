import { Counter, type Registry } from 'prom-client'

export interface SessionMetrics {
  readonly logins: Counter<'result'>
  readonly refreshes: Counter<'result'>
}

export function createSessionMetrics(registry: Registry): SessionMetrics {
  return {
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
}
