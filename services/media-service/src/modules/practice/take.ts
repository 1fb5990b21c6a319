import type { Analysis, AnalysisProgress, AnalysisResult, Recording } from '@bigtech/contracts'

export type TakeState = Analysis['state']

/** A recording of a token and its analysis. */
export interface Take {
  readonly id: string
  readonly tokenId: number
  readonly ownerId: number
  readonly state: TakeState
  /** Incremented by every change. */
  readonly version: number
  readonly objectKey: string
  readonly mime: string
  /** Bytes. */
  readonly size: number
  readonly analysisId: string | null
  readonly sends: number
  readonly result: AnalysisResult | null
  readonly error: { readonly code: string; readonly detail: string } | null
  readonly requestId: string
  readonly createdAt: Date
  readonly finishedAt: Date | null
}

/** Maximum number of submissions before a take fails. */
export const MAX_SENDS = 3

export const recordingKey = (takeId: string) => `practice/takes/${takeId}/recording`
export const recordingFolder = (takeId: string) => `practice/takes/${takeId}/`
export const clipKeyOf = (slug: string, position: number) => `practice/clips/${slug}/${position}.wav`

export const isOver = ({ state }: Pick<Take, 'state'>) => state === 'succeeded' || state === 'failed'

const percent: Readonly<Record<TakeState, number>> = {
  queued: 0,
  running: 20,
  analyzing: 50,
  succeeded: 100,
  failed: 100,
}

/** Returns a take as a frame of its progress stream. */
export function progressView({ id, state, error }: Take): AnalysisProgress {
  return { job_id: id, state, progress: percent[state], error }
}

/** Returns a take in the API format of its owner's list. */
export function recordingView(take: Take & { readonly text: string }): Recording {
  const { text, mime, size } = take
  return { ...analysisView(take), text, mime, size }
}

/** Returns a take in the API format. */
export function analysisView(take: Take): Analysis {
  return {
    ...progressView(take),
    token_id: take.tokenId,
    result: take.result,
    created_at: take.createdAt.toISOString(),
    finished_at: take.finishedAt?.toISOString() ?? null,
  }
}
