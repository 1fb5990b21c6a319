import { setTimeout as sleep } from 'node:timers/promises'
import type { AnalysisReport } from '@bigtech/contracts'
import { signWebhook } from '@bigtech/service-kit'

export interface WebhookOptions {
  readonly url: string
  readonly secret: string
  readonly log: { warn(fields: object, message: string): void }
}

const ATTEMPTS = 6
const FIRST_DELAY_MS = 500
const RESPONSE_MS = 5_000

/**
 * Delivers a report: retries temporary failures with backoff under one `webhook-id`, so that the receiver
 * counts it once. Returns whether it was accepted; the receiver's deadline handles undelivered reports.
 */
export async function deliver(
  { url, secret, log }: WebhookOptions,
  report: AnalysisReport,
  signal: AbortSignal,
): Promise<boolean> {
  const id = crypto.randomUUID()
  const body = JSON.stringify(report)
  for (let attempt = 1; attempt <= ATTEMPTS && !signal.aborted; attempt++) {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...signWebhook(secret, id, body) },
        body,
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(RESPONSE_MS)]),
      })
      await response.body?.cancel()
      if (response.ok) return true
      log.warn({ job_id: report.job_id, status: response.status, attempt }, 'webhook refused')
      if (response.status < 500 && response.status !== 429) return false
    } catch (err) {
      log.warn({ err, job_id: report.job_id, attempt }, 'webhook delivery failed, retrying')
    }
    await sleep(FIRST_DELAY_MS * 2 ** (attempt - 1), undefined, { signal }).catch(() => undefined)
  }
  return false
}
