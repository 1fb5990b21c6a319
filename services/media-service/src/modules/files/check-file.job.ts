import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClaimedJob, JobEffects } from '../jobs/job.ts'
import type { JobHandler } from '../jobs/job-worker.ts'
import type { FileRepository } from './file.repository.ts'
import { type Inspection, type InspectOptions, inspectUpload, storeOutcome } from './inspection.ts'
import { readWaveform } from './waveform.ts'

export interface CheckFileOptions extends InspectOptions {
  readonly files: FileRepository
  readonly ffmpegPath: string | undefined
}

interface Work extends Inspection {
  readonly job: ClaimedJob
}

/** Examines an upload, which is not shown to anybody before this job has succeeded. */
export function checkFileJob(options: CheckFileOptions): JobHandler {
  const { files } = options
  return {
    run: async (job, run) => {
      const file = await files.find(job.subjectId)
      if (file?.state !== 'checking') return async () => undefined
      const folder = await mkdtemp(join(tmpdir(), 'media-'))
      try {
        return await examine(options, { job, file, folder, path: join(folder, 'upload'), run })
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
    ...checkFileEffects(files),
  }
}

/** Effects of an examination without a result. The bytes are deleted, so there is no retry. */
export function checkFileEffects(files: FileRepository): JobEffects {
  return {
    onFailed: (tx, fileId, failure) =>
      files.refuse(tx, fileId, { code: 'CHECK_FAILED', detail: failure.detail }),
  }
}

async function examine(options: CheckFileOptions, work: Work): ReturnType<JobHandler['run']> {
  const { files, ffmpegPath } = options
  const { job, file, path, run } = work
  const outcome = await inspectUpload(options, work)
  if (!outcome.ok) return (tx) => files.refuse(tx, file.id, outcome)
  const sound = file.kind === 'audio' && ffmpegPath ? await readWaveform(ffmpegPath, path, run.signal) : null
  run.progress(80, 'storing')
  const found = await storeOutcome(options.objects, file, outcome)
  const examined = {
    ...found,
    durationMs: sound?.durationMs ?? outcome.durationMs,
    waveform: sound?.peaks ?? null,
  }
  return (tx) => files.makeReady(tx, file, examined, job.requestId)
}
