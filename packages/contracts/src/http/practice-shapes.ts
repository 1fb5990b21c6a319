import { z } from 'zod'
import { timestamp } from '../ids.ts'

export const maxRecordingBytes = 50 * 1024 * 1024
export const maxRecordingSeconds = 30

const score = z.number().min(0).max(100)

export const scores = z.object({
  pronunciation: score,
  intonation: score,
  emotion: score.meta({ description: 'Delivery: loudness, brightness, pace, melodic range.' }),
  overall: score,
})
export const scoresExample = { pronunciation: 91.2, intonation: 84, emotion: 78.5, overall: 86.5 }

/** The result of an analysis server for one recording. Every field is required. */
export const analysisResult = z.object({
  scores,
  feedback: z.object({
    quality: z.enum(['ok', 'noisy', 'clipped']).meta({ description: 'Quality of the recording.' }),
    pace: z.number().min(0).max(10).meta({ description: 'Length of the speech relative to the original.' }),
    pitch_range: z
      .number()
      .min(0)
      .max(1)
      .meta({ description: '1: the melody is as lively as in the reference.' }),
    words: z
      .array(
        z.object({
          word: z.string().max(200),
          score,
          start_ms: z.int().min(0).meta({ description: 'Offset in the reference clip.' }),
          end_ms: z.int().min(0),
        }),
      )
      .max(200),
    tips: z
      .array(
        z.enum([
          'NOISY_RECORDING',
          'TOO_LOUD',
          'REPEAT_UNCLEAR_WORDS',
          'SPEAK_FASTER',
          'SPEAK_SLOWER',
          'MORE_MELODY',
          'FOLLOW_THE_MELODY',
          'MORE_EXPRESSION',
        ]),
      )
      .max(8),
  }),
})
export type AnalysisResult = z.infer<typeof analysisResult>

export const analysisResultExample: AnalysisResult = {
  scores: scoresExample,
  feedback: {
    quality: 'ok',
    pace: 1.12,
    pitch_range: 0.84,
    words: [
      { word: '오늘', score: 96, start_ms: 120, end_ms: 480 },
      { word: '저녁에', score: 41, start_ms: 480, end_ms: 1_010 },
    ],
    tips: ['REPEAT_UNCLEAR_WORDS'],
  },
}

/** The request of media-service to an analysis server: the JSON part of `POST /analyses`, before the two clips. */
export const analysisRequest = z.object({
  job_id: z.uuid(),
  /** Identifies one attempt of the job; the webhook repeats it. */
  analysis_id: z.uuid(),
  text: z.string().min(1).max(1_000),
  language: z.string().max(10),
})
export type AnalysisRequest = z.infer<typeof analysisRequest>

/** The body of the webhook sent by an analysis server. */
export const analysisReport = z.discriminatedUnion('status', [
  z.strictObject({
    job_id: z.uuid(),
    analysis_id: z.uuid(),
    status: z.literal('succeeded'),
    result: analysisResult,
  }),
  z.strictObject({
    job_id: z.uuid(),
    analysis_id: z.uuid(),
    status: z.literal('failed'),
    error: z.strictObject({
      code: z.string().regex(/^[A-Z][A-Z_]{1,39}$/),
      detail: z.string().min(1).max(300),
      retryable: z.boolean().meta({ description: 'Whether a retry may succeed.' }),
    }),
  }),
])
export type AnalysisReport = z.infer<typeof analysisReport>

const actor = z.object({ actor_id: z.int().positive(), name: z.string() })

export const practiceToken = z.object({
  token_id: z.int().positive(),
  script_id: z.int().positive(),
  position: z.int().positive(),
  actor,
  text: z.string(),
  start_time: z.number().min(0).meta({ description: 'Seconds from the beginning of the script.' }),
  end_time: z.number().min(0),
  clip_url: z.string().meta({ description: 'Path of the reference clip, relative to the API.' }),
  bookmarked: z.boolean(),
})
export type PracticeToken = z.infer<typeof practiceToken>

export const practiceTokenExample: PracticeToken = {
  token_id: 3,
  script_id: 1,
  position: 2,
  actor: { actor_id: 1, name: '하나' },
  text: '오늘 저녁에 같이 영화를 보러 갈까요',
  start_time: 2.4,
  end_time: 5.1,
  clip_url: '/tokens/3/clip',
  bookmarked: false,
}

export const scriptSummary = z.object({
  script_id: z.int().positive(),
  title: z.string(),
  description: z.string(),
  language: z.enum(['ko', 'en']),
  actors: z.array(actor),
  token_count: z.int().min(0),
  practice_count: z.int().min(0).meta({ description: 'Number of recordings analyzed, of all users.' }),
})
export type ScriptSummary = z.infer<typeof scriptSummary>

export const scriptExample: ScriptSummary = {
  script_id: 1,
  title: '영화 약속',
  description: '친구와 저녁 약속을 잡아요.',
  language: 'ko',
  actors: [{ actor_id: 1, name: '하나' }],
  token_count: 4,
  practice_count: 128,
}

export const analysisState = z
  .enum(['queued', 'running', 'analyzing', 'succeeded', 'failed'])
  .meta({ description: '`analyzing`: the analysis server has received the recording.' })

const failure = z.object({
  code: z.string().meta({
    description:
      'For a recording: TOO_LONG, TOO_SHORT, NO_SPEECH, NOT_SPEECH, MEDIA_UNREADABLE. For an analysis: ANALYSIS_TIMEOUT, ANALYSIS_UNAVAILABLE, ANALYSIS_FAILED.',
  }),
  detail: z.string(),
})

/** The progress of an analysis; also the data of each frame of its progress stream. */
export const analysisProgress = z.object({
  job_id: z.uuid(),
  state: analysisState,
  progress: z.int().min(0).max(100),
  error: failure.nullable(),
})
export type AnalysisProgress = z.infer<typeof analysisProgress>

export const analysis = z.object({
  ...analysisProgress.shape,
  token_id: z.int().positive(),
  result: analysisResult.nullable().meta({ description: 'Null until the state is `succeeded`.' }),
  created_at: timestamp,
  finished_at: timestamp.nullable(),
})
export type Analysis = z.infer<typeof analysis>

/** A recording as its owner manages it. */
export const recording = z.object({
  ...analysis.shape,
  text: z.string().meta({ description: 'What was to be said.' }),
  mime: z.string(),
  size: z.int().min(0).meta({ description: 'Bytes.' }),
})
export type Recording = z.infer<typeof recording>

export const recordingExample: Recording = {
  job_id: '01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3c',
  state: 'succeeded',
  progress: 100,
  error: null,
  token_id: 3,
  result: analysisResultExample,
  created_at: '2026-01-27T10:00:00.000Z',
  finished_at: '2026-01-27T10:00:03.000Z',
  text: practiceTokenExample.text,
  mime: 'audio/mp4',
  size: 38_912,
}

export const dubbedToken = z.object({
  token: practiceToken,
  attempts: z.int().positive(),
  best: scores,
  last_job_id: z.uuid(),
  last_practiced_at: timestamp,
})
export type DubbedToken = z.infer<typeof dubbedToken>
