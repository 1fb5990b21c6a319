import { z } from 'zod'
import { timestamp } from '../ids.ts'
import { defineRoute } from './define-route.ts'
import { idParam, onePage, pageQuery } from './paging.ts'
import {
  analysis,
  analysisProgress,
  analysisReport,
  analysisResultExample,
  dubbedToken,
  practiceToken,
  practiceTokenExample,
  scores,
  scoresExample,
  scriptExample,
  scriptSummary,
} from './practice-shapes.ts'

const exampleTime = '2026-01-27T10:00:00.000Z'
const exampleJob = '01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3c'
const tokenParams = z.object({ token_id: idParam })
const jobParams = z.object({ job_id: z.uuid().meta({ examples: [exampleJob] }) })
const progressExample = { job_id: exampleJob, state: 'queued', progress: 0, error: null } as const

export const listScripts = defineRoute({
  operationId: 'listScripts',
  method: 'GET',
  path: '/scripts',
  tag: 'scripts',
  summary: 'Scripts to practice with, newest first',
  query: z.object({ ...pageQuery.shape, language: z.enum(['ko', 'en']).optional() }),
  success: onePage(scriptSummary, 'A page of scripts.', scriptExample),
  problems: ['CURSOR_INVALID'],
})

export const listPopularScripts = defineRoute({
  operationId: 'listPopularScripts',
  method: 'GET',
  path: '/scripts/popular',
  tag: 'scripts',
  summary: 'The ten most practiced scripts',
  description: 'Cached for up to one minute.',
  success: {
    status: 200,
    description: 'Most practiced first.',
    schema: z.object({ items: z.array(scriptSummary) }),
    example: { items: [scriptExample] },
  },
})

export const getScript = defineRoute({
  operationId: 'getScript',
  method: 'GET',
  path: '/scripts/:script_id',
  tag: 'scripts',
  summary: 'A script with its tokens',
  params: z.object({ script_id: idParam }),
  success: {
    status: 200,
    description: 'The script with its tokens in order.',
    schema: z.object({ ...scriptSummary.shape, tokens: z.array(practiceToken) }),
    example: { ...scriptExample, tokens: [practiceTokenExample] },
  },
  problems: ['SCRIPT_NOT_FOUND'],
})

export const getPracticeClip = defineRoute({
  operationId: 'getPracticeClip',
  method: 'GET',
  path: '/tokens/:token_id/clip',
  tag: 'practice',
  summary: 'The reference clip of a token',
  params: tokenParams,
  success: {
    status: 200,
    description: 'The clip.',
    contentType: 'audio/wav',
    schema: z.string(),
    example: '',
  },
  problems: ['PRACTICE_TOKEN_NOT_FOUND'],
})

export const uploadRecording = defineRoute({
  operationId: 'uploadRecording',
  method: 'POST',
  path: '/tokens/:token_id/upload-audio',
  tag: 'practice',
  summary: 'Submit a recording of a token for analysis',
  description:
    '`multipart/form-data` with one part, `file`: wav, mp3 or m4a, at most 50 MB and 30 seconds. Streamed; send a `Content-Length`. At most 5 analyses per user at a time.',
  params: tokenParams,
  bodyType: 'multipart',
  success: {
    status: 202,
    description: 'The recording is stored and queued for analysis.',
    schema: z.object({ ...analysisProgress.shape, token_id: z.int().positive() }),
    example: { ...progressExample, token_id: 3 },
  },
  problems: [
    'PRACTICE_TOKEN_NOT_FOUND',
    'FILE_MISSING',
    'FILE_EMPTY',
    'FILE_TOO_LARGE',
    'FILE_TYPE_REFUSED',
    'QUOTA_EXCEEDED',
    'UPLOAD_CUT',
    'MEDIA_TYPE_UNSUPPORTED',
    'VALIDATION_FAILED',
    'RATE_LIMITED',
  ],
})

export const openAnalysisProgress = defineRoute({
  operationId: 'openAnalysisProgress',
  method: 'GET',
  path: '/tokens/analysis-progress/:job_id',
  tag: 'practice',
  summary: 'Progress of an analysis (Server-Sent Events)',
  description:
    'Frames named `progress`; the first is sent immediately. The stream ends after the frame with the state `succeeded` or `failed`. With `Last-Event-ID` frames already received are skipped.',
  params: jobParams,
  success: {
    status: 200,
    description: 'A stream of frames; a comment every 15 s keeps it open.',
    contentType: 'text/event-stream',
    schema: z.string(),
    example: `id: 3\nevent: progress\ndata: {"job_id":"${exampleJob}","state":"analyzing","progress":50,"error":null}\n\n`,
  },
  problems: ['ANALYSIS_NOT_FOUND'],
})

export const getAnalysisResult = defineRoute({
  operationId: 'getAnalysisResult',
  method: 'GET',
  path: '/tokens/analysis-result/:job_id',
  tag: 'practice',
  summary: 'The result of an analysis',
  params: jobParams,
  success: {
    status: 200,
    description: 'The analysis in its current state.',
    schema: analysis,
    example: {
      ...progressExample,
      state: 'succeeded',
      progress: 100,
      token_id: 3,
      result: analysisResultExample,
      created_at: exampleTime,
      finished_at: exampleTime,
    },
  },
  problems: ['ANALYSIS_NOT_FOUND'],
})

export const completeAnalysis = defineRoute({
  operationId: 'completeAnalysis',
  method: 'POST',
  path: '/tokens/webhook/analysis-complete',
  tag: 'practice',
  summary: "Webhook for the analysis server's reports",
  description:
    'Signed according to Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`); at most 5 minutes old. A repeated `webhook-id` changes nothing.',
  auth: 'public',
  body: analysisReport,
  bodyExample: {
    job_id: exampleJob,
    analysis_id: '0f8b0d3e-9d52-4f5a-9d5c-0b7d1a1f6f11',
    status: 'succeeded',
    result: analysisResultExample,
  },
  success: { status: 204, description: 'Noted.' },
  problems: ['WEBHOOK_SIGNATURE_INVALID', 'ANALYSIS_NOT_FOUND', 'ANALYSIS_SUPERSEDED'],
})

export const addBookmark = defineRoute({
  operationId: 'addBookmark',
  method: 'PUT',
  path: '/tokens/:token_id/bookmark',
  tag: 'practice',
  summary: 'Bookmark a token',
  params: tokenParams,
  success: { status: 204, description: 'The token is bookmarked. Idempotent.' },
  problems: ['PRACTICE_TOKEN_NOT_FOUND'],
})

export const removeBookmark = defineRoute({
  operationId: 'removeBookmark',
  method: 'DELETE',
  path: '/tokens/:token_id/bookmark',
  tag: 'practice',
  summary: 'Remove a bookmark',
  params: tokenParams,
  success: { status: 204, description: 'The token is not bookmarked.' },
})

export const listBookmarks = defineRoute({
  operationId: 'listBookmarks',
  method: 'GET',
  path: '/mypage/bookmarks/',
  tag: 'practice',
  summary: 'Your bookmarks, newest first',
  query: pageQuery,
  success: onePage(z.object({ token: practiceToken, created_at: timestamp }), 'A page of bookmarks.', {
    token: { ...practiceTokenExample, bookmarked: true },
    created_at: exampleTime,
  }),
  problems: ['CURSOR_INVALID'],
})

export const listDubbedTokens = defineRoute({
  operationId: 'listDubbedTokens',
  method: 'GET',
  path: '/mypage/my-dubbed-tokens',
  tag: 'practice',
  summary: 'Tokens you have practiced, most recent first',
  query: pageQuery,
  success: onePage(dubbedToken, 'A page of tokens, each with your best scores.', {
    token: practiceTokenExample,
    attempts: 3,
    best: scoresExample,
    last_job_id: exampleJob,
    last_practiced_at: exampleTime,
  }),
  problems: ['CURSOR_INVALID'],
})

export const getPracticeOverview = defineRoute({
  operationId: 'getPracticeOverview',
  method: 'GET',
  path: '/mypage/overview',
  tag: 'practice',
  summary: 'Statistics of your practice',
  success: {
    status: 200,
    description: 'Counts successful analyses only.',
    schema: z.object({
      practice_count: z.int().min(0),
      token_count: z.int().min(0).meta({ description: 'Different tokens.' }),
      bookmark_count: z.int().min(0),
      average: scores.nullable(),
      best_overall: z.number().nullable(),
      last_practiced_at: timestamp.nullable(),
    }),
    example: {
      practice_count: 12,
      token_count: 5,
      bookmark_count: 2,
      average: scoresExample,
      best_overall: 93.1,
      last_practiced_at: exampleTime,
    },
  },
})
