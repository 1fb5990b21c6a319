import { openAsBlob } from 'node:fs'
import type { AnalysisRequest } from '@bigtech/contracts'
import { signWebhook } from '@bigtech/service-kit'
import { JobFailure } from '../jobs/job.ts'

export interface AnalysisClient {
  /** Submits a recording; the result arrives by webhook. @throws JobFailure ANALYSIS_UNAVAILABLE, ANALYSIS_REFUSED */
  start(
    request: AnalysisRequest,
    clips: { readonly reference: string; readonly recording: string },
    signal: AbortSignal,
  ): Promise<void>
}

/** Time limit for sending 50 MB to a nearby server, including its acknowledgement. */
const HAND_OVER_MS = 30_000
const REFUSED_DETAIL_CHARACTERS = 150

/** Creates the client of an analysis server with our contract (docs/architecture/voice-practice.md). */
export function createAnalysisClient({ url, secret }: { url: string; secret: string }): AnalysisClient {
  const address = new URL('analyses', url.endsWith('/') ? url : `${url}/`)
  return {
    start: async (request, clips, signal) => {
      const text = JSON.stringify(request)
      const form = new FormData()
      // First, because a server verifies the signature before it accepts bytes.
      form.set('request', text)
      form.set('reference', await openAsBlob(clips.reference), 'reference')
      form.set('recording', await openAsBlob(clips.recording), 'recording')
      const response = await fetch(address, {
        method: 'POST',
        headers: { ...signWebhook(secret, crypto.randomUUID(), text) },
        body: form,
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(HAND_OVER_MS)]),
      }).catch((cause: unknown) => {
        throw unavailable('The analysis server does not respond.', cause)
      })
      const body = await response.text().catch(() => '')
      if (response.ok) return
      if (response.status >= 500 || response.status === 429)
        throw unavailable(`The analysis server returned ${response.status}.`)
      const why = body.slice(0, REFUSED_DETAIL_CHARACTERS)
      throw new JobFailure('ANALYSIS_REFUSED', `The analysis server returned ${response.status}.`, {
        cause: new Error(why),
      })
    },
  }
}

function unavailable(detail: string, cause?: unknown): JobFailure {
  return new JobFailure('ANALYSIS_UNAVAILABLE', detail, { isRetryable: true, cause })
}
