import { createHash } from 'node:crypto'

/** Returns a UUID for the inbox, derived from an analysis server's webhook id of any format. */
export function webhookEventId(webhookId: string): string {
  const hex = createHash('sha256').update(webhookId).digest('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}
