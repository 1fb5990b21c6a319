import type { AnalysisReport } from '@bigtech/contracts'
import { decode, MAX_SECONDS } from './analysis/decode.ts'
import { SAMPLE_RATE } from './analysis/sample-rate.ts'
import { type Refusal, score } from './analysis/score.ts'

/** The input of the child process, passed on its command line. */
export interface ChildTask {
  readonly ffmpegPath: string
  readonly reference: string
  readonly recording: string
  readonly text: string
}

/** The output of the child process, written to stdout. */
export type ChildOutcome =
  | Pick<Extract<AnalysisReport, { status: 'succeeded' }>, 'status' | 'result'>
  | Pick<Extract<AnalysisReport, { status: 'failed' }>, 'status' | 'error'>

const details: Readonly<Record<Refusal | 'MEDIA_UNREADABLE', string>> = {
  NO_SPEECH: 'The recording contains no speech.',
  NOT_SPEECH: 'The recording contains sounds but no voice.',
  TOO_SHORT: 'The recording is much shorter than the original.',
  TOO_LONG: `The recording is much longer than the original, or than ${MAX_SECONDS} seconds.`,
  MEDIA_UNREADABLE: 'The recording cannot be decoded.',
}

const refused = (code: keyof typeof details): ChildOutcome => ({
  status: 'failed',
  error: { code, detail: details[code], retryable: false },
})

async function analyze({ ffmpegPath, reference, recording, text }: ChildTask): Promise<ChildOutcome> {
  const original = await decode(ffmpegPath, reference)
  const samples = await decode(ffmpegPath, recording).catch(() => undefined)
  if (!samples || samples.length === 0) return refused('MEDIA_UNREADABLE')
  if (samples.length > SAMPLE_RATE * MAX_SECONDS) return refused('TOO_LONG')
  const result = score(original, samples, text)
  return typeof result === 'string' ? refused(result) : { status: 'succeeded', result }
}

/** Decodes and scores one recording in a separate process: a hostile file can only crash this process. */
if (import.meta.main)
  process.stdout.write(JSON.stringify(await analyze(JSON.parse(process.argv[2] ?? '') as ChildTask)))
