import { z } from 'zod'
import { timestamp, userId } from '../ids.ts'
import { defineRoute } from './define-route.ts'
import { pageLimit, wholeNumber } from './paging.ts'

const tag = 'monitor'
const problems = ['NOT_AUTHENTICATED', 'TOKEN_INVALID'] as const
const count = z.int().min(0)
const seconds = z.number().min(0).nullable()

const monitoredWorker = z.object({
  worker: z.string(),
  slots: z.int().positive(),
  running: count,
  started_at: timestamp,
  seen_at: timestamp,
  alive: z.boolean(),
})

const monitoredKind = z.object({
  kind: z.string(),
  queued: count,
  running: count,
  succeeded: count.meta({ description: 'Finished in the last 24 hours, like the following counts.' }),
  failed: count,
  cancelled: count,
  p50_seconds: seconds.meta({ description: 'Run time of the last 1,000 successful jobs.' }),
  p95_seconds: seconds,
  oldest_queued_seconds: seconds,
})

const jobState = z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled'])

const monitoredJob = z.object({
  job_id: z.uuid(),
  kind: z.string(),
  subject_id: z.uuid(),
  owner_id: userId,
  state: jobState,
  priority: z.int(),
  progress: z.int().min(0).max(100),
  stage: z.string().nullable(),
  attempts: count,
  losses: count.meta({ description: 'Number of workers that died while running it.' }),
  worker: z.string().nullable(),
  cancel_requested: z.boolean(),
  error_code: z.string().nullable(),
  error_detail: z.string().nullable(),
  request_id: z.string(),
  created_at: timestamp,
  started_at: timestamp.nullable(),
  finished_at: timestamp.nullable(),
})
export type MonitoredJob = z.infer<typeof monitoredJob>
export type JobOverview = {
  workers: z.infer<typeof monitoredWorker>[]
  kinds: z.infer<typeof monitoredKind>[]
}

const jobExample: MonitoredJob = {
  job_id: '01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3c',
  kind: 'process_document',
  subject_id: '01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3d',
  owner_id: 100,
  state: 'running',
  priority: 6,
  progress: 40,
  stage: 'extracting',
  attempts: 1,
  losses: 0,
  worker: 'worker-1',
  cancel_requested: false,
  error_code: null,
  error_detail: null,
  request_id: 'req-1',
  created_at: '2026-01-27T10:00:00.000Z',
  started_at: '2026-01-27T10:00:01.000Z',
  finished_at: null,
}
const oneJob = (description: string) =>
  ({ status: 200, description, schema: monitoredJob, example: jobExample }) as const
const ofJob = z.object({ job_id: z.uuid() })

export const getJobOverview = defineRoute({
  operationId: 'getJobOverview',
  method: 'GET',
  path: '/monitor/overview',
  tag,
  summary: 'Workers, queues, results and run times',
  auth: 'operator',
  isPolled: true,
  success: {
    status: 200,
    description: 'The state of the workers.',
    schema: z.object({ workers: z.array(monitoredWorker), kinds: z.array(monitoredKind) }),
    example: {
      workers: [
        {
          worker: 'worker-1',
          slots: 2,
          running: 1,
          started_at: '2026-01-27T09:00:00.000Z',
          seen_at: '2026-01-27T10:00:00.000Z',
          alive: true,
        },
      ],
      kinds: [
        {
          kind: 'process_document',
          queued: 3,
          running: 1,
          succeeded: 120,
          failed: 2,
          cancelled: 0,
          p50_seconds: 1.2,
          p95_seconds: 7.5,
          oldest_queued_seconds: 4,
        },
      ],
    },
  },
  problems,
})

export const listJobs = defineRoute({
  operationId: 'listJobs',
  method: 'GET',
  path: '/monitor/jobs',
  tag,
  summary: 'Jobs, newest first',
  auth: 'operator',
  isPolled: true,
  query: z.object({
    state: jobState.optional(),
    kind: z
      .string()
      .regex(/^[a-z_]{1,20}$/, 'Must be the name of a job kind.')
      .optional(),
    page: wholeNumber({ min: 1, max: 10_000 }).default(1),
    limit: pageLimit,
  }),
  success: {
    status: 200,
    description: 'A page of jobs.',
    schema: z.object({ items: z.array(monitoredJob) }),
    example: { items: [jobExample] },
  },
  problems,
})

export const cancelJob = defineRoute({
  operationId: 'cancelJob',
  method: 'POST',
  path: '/monitor/jobs/:job_id/cancel',
  tag,
  summary: 'Cancel a queued or running job',
  auth: 'operator',
  params: ofJob,
  success: oneJob('The job; a running one stops within 6 seconds.'),
  problems: [...problems, 'JOB_NOT_FOUND', 'JOB_STATE_CONFLICT'],
})

export const retryJob = defineRoute({
  operationId: 'retryJob',
  method: 'POST',
  path: '/monitor/jobs/:job_id/retry',
  tag,
  summary: 'Retry a failed or cancelled job',
  auth: 'operator',
  params: ofJob,
  success: oneJob('The job.'),
  problems: [...problems, 'JOB_NOT_FOUND', 'JOB_STATE_CONFLICT'],
})
