import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { maxRecordingSeconds } from '@bigtech/contracts'
import { type Limits, runIsolated } from '../../extract/isolated.ts'
import type { ObjectStore } from '../../infrastructure/object-store.ts'
import { type JobEffects, JobFailure } from '../jobs/job.ts'
import type { JobHandler } from '../jobs/job-worker.ts'
import type { AnalysisClient } from './analysis-client.ts'
import type { TakeRepository } from './take.repository.ts'

export interface AnalyzeTakeOptions {
  readonly takes: TakeRepository
  readonly objects: Pick<ObjectStore, 'get'>
  readonly analysis: AnalysisClient
  /** Time limit of the analysis server after it has received the recording. */
  readonly deadlineSeconds: number
}

const LIMITS: Limits = { wallMs: 30_000, cpuSeconds: 20, rssMegabytes: 400, heapMegabytes: 200 }

/** Examines a recording and submits it to the analysis server; the take then waits for a report. */
export function analyzeTakeJob(options: AnalyzeTakeOptions): JobHandler {
  const { takes, objects, analysis, deadlineSeconds } = options
  return {
    run: async (job, run) => {
      const take = await takes.beginAttempt(job.subjectId)
      if (!take) return async () => undefined
      const folder = await mkdtemp(join(tmpdir(), 'take-'))
      try {
        const clips = { reference: join(folder, 'reference'), recording: join(folder, 'recording') }
        await download(objects, take.clipKey, clips.reference)
        await download(objects, take.objectKey, clips.recording)
        run.progress(30, 'examining')
        await assertUsable({ file: clips.recording, mime: take.mime, folder }, run.signal)
        run.progress(60, 'sending')
        const { id, text, language } = take
        const analysisId = take.analysisId!
        await analysis.start({ job_id: id, analysis_id: analysisId, text, language }, clips, run.signal)
        return (tx) => takes.awaitReport(tx, id, analysisId, deadlineSeconds)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
    ...takeEffects(takes),
  }
}

/** Effects on the take when a job ends without submitting its recording, or is retried. */
export function takeEffects(takes: TakeRepository): JobEffects {
  return {
    onFailed: (tx, takeId, { code, detail }) => takes.fail(tx, takeId, { code, detail }),
    onRetried: (tx, takeId) => takes.revive(tx, takeId),
  }
}

/** Checks the recording. @throws JobFailure TOO_LONG, or the fault of the file */
async function assertUsable(
  { file, mime, folder }: { file: string; mime: string; folder: string },
  signal: AbortSignal,
): Promise<void> {
  const input = { file, mime, kind: 'audio' as const, purpose: 'attachment' as const }
  const outcome = await runIsolated({ name: 'check', folder, input }, LIMITS, signal)
  if (!outcome.ok) throw new JobFailure(outcome.code, outcome.detail)
  if ((outcome.durationMs ?? 0) > maxRecordingSeconds * 1_000)
    throw new JobFailure('TOO_LONG', `A recording may last at most ${maxRecordingSeconds} seconds.`)
}

async function download(objects: Pick<ObjectStore, 'get'>, key: string, file: string): Promise<void> {
  const object = await objects.get(key)
  if (!object) throw new JobFailure('INCOMPLETE', 'The bytes of the recording are gone.')
  await pipeline(object.body, createWriteStream(file))
}
