import type { IncomingHttpHeaders } from 'node:http'

/**
 * True when a request names this machine. A page of another site that lets its own name resolve to 127.0.0.1 (DNS
 * rebinding) sends that name, and could otherwise read what a development endpoint answers.
 */
export function namesThisMachine({ host }: IncomingHttpHeaders): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i.test(host ?? '')
}

/** The answer to a request that does not. */
export const FOREIGN_HOST = 'Open this address as http://localhost or http://127.0.0.1.'
