import { type AnswerOf, getAnalysisResult, openAnalysisProgress, problemOf } from '@bigtech/client'
import { call, http, session } from '../core/api.ts'

export type Analysis = AnswerOf<typeof getAnalysisResult>
export type Result = NonNullable<Analysis['result']>

export interface Progress {
  readonly job_id: string
  readonly state: Analysis['state']
  /** 0..100 */
  readonly progress: number
}

const RETRY_MS = 1_000

/** Sends a recording of a line. Resolves when it waits for its analysis. @throws ApiProblem */
export async function submitRecording(tokenId: number, recording: Blob): Promise<Progress> {
  const body = new FormData()
  body.append('file', recording, 'recording.wav')
  const response = await http.fetch(`${http.baseUrl}/tokens/${tokenId}/upload-audio`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await session.token()}` },
    body,
  })
  if (!response.ok) throw await problemOf(response)
  return (await response.json()) as Progress
}

/** Follows an analysis to its end; a stream that breaks is opened again. @throws ApiProblem ANALYSIS_NOT_FOUND */
export async function followAnalysis(
  job_id: string,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Analysis> {
  const params = { job_id }
  for (;;) {
    const stream = await call(openAnalysisProgress, { params })
    await readFrames(stream, onProgress, signal).catch(() => undefined)
    const analysis = await call(getAnalysisResult, { params })
    if (signal.aborted || analysis.finished_at !== null) return analysis
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

/** Reads a stream of Server-Sent Events whose frames have one line of data each. */
async function readFrames(
  { body }: Response,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<void> {
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader()
  signal.addEventListener('abort', () => void reader.cancel(), { once: true })
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const lines = (rest + value).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('data:')) onProgress(JSON.parse(line.slice(5)))
  }
}
