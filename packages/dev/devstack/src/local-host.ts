import type { IncomingHttpHeaders } from 'node:http'

/**
 * Returns true when a request names this machine. A foreign page that resolves its own name to 127.0.0.1
 * (DNS rebinding) sends that name, and could otherwise read responses of a development endpoint.
 */
export function namesThisMachine({ host }: IncomingHttpHeaders): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i.test(host ?? '')
}

/** The response to any other request. */
export const FOREIGN_HOST = 'Open this address as http://localhost or http://127.0.0.1.'
