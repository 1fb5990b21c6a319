import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Limits, runIsolated } from '../../extract/isolated.ts'
import type { CheckOutcome } from '../../extract/tasks.ts'
import type { ObjectStore } from '../../infrastructure/object-store.ts'
import { type ClaimedJob, JobFailure } from '../jobs/job.ts'
import type { JobHandler, JobRun } from '../jobs/job-worker.ts'
import type { Examined, FileRepository } from './file.repository.ts'
import type { FileRecord } from './file.ts'
import type { VirusScanner } from './virus-scanner.ts'
import { readWaveform } from './waveform.ts'

export interface CheckFileOptions {
  readonly files: FileRepository
  readonly objects: ObjectStore
  readonly scanner: VirusScanner | undefined
  readonly ffmpegPath: string | undefined
}

/** Decoding 50 megapixels needs about 300 MB; a PDF of 100 MB is held whole. */
const LIMITS: Limits = { wallMs: 60_000, cpuSeconds: 40, rssMegabytes: 900, heapMegabytes: 400 }

type Passed = Extract<CheckOutcome, { ok: true }>

/** Examines what was uploaded: nothing is shown to anybody before this has ended well. */
export function checkFileJob(options: CheckFileOptions): JobHandler {
  const { files } = options
  return {
    run: async (job, run) => {
      const file = await files.find(job.subjectId)
      if (file?.state !== 'checking') return async () => undefined
      const folder = await mkdtemp(join(tmpdir(), 'media-'))
      try {
        return await examine(options, { job, file, folder, run })
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
    onFailed: (tx, fileId, failure) =>
      files.refuse(tx, fileId, { code: 'CHECK_FAILED', detail: failure.detail }),
  }
}

interface Work {
  readonly job: ClaimedJob
  readonly file: FileRecord
  readonly folder: string
  readonly run: JobRun
}

async function examine(options: CheckFileOptions, work: Work): ReturnType<JobHandler['run']> {
  const { files, scanner, ffmpegPath } = options
  const { job, file, folder, run } = work
  const path = join(folder, 'upload')
  run.progress(5, 'fetching')
  await download(options.objects, file, path)
  if (scanner) {
    run.progress(20, 'scanning')
    const virus = await scanner.scan(path)
    if (virus !== undefined)
      return (tx) => files.refuse(tx, file.id, { code: 'INFECTED', detail: `The file is infected: ${virus}` })
  }
  run.progress(40, 'examining')
  const input = { file: path, mime: file.mime, kind: file.kind ?? 'document', purpose: file.purpose }
  const outcome = await runIsolated({ name: 'check', folder, input }, LIMITS, run.signal)
  if (!outcome.ok) return (tx) => files.refuse(tx, file.id, outcome)
  const heard = file.kind === 'audio' && ffmpegPath ? await readWaveform(ffmpegPath, path, run.signal) : null
  run.progress(80, 'storing')
  const found = await store(options.objects, file, outcome)
  const examined = {
    ...found,
    durationMs: heard?.durationMs ?? outcome.durationMs,
    waveform: heard?.peaks ?? null,
  }
  return (tx) => files.makeReady(tx, file, examined, job.requestId)
}

async function download(store: ObjectStore, file: FileRecord, path: string): Promise<void> {
  const object = await store.get(file.objectKey)
  if (!object) throw new JobFailure('INCOMPLETE', 'The bytes of the file never arrived.')
  await pipeline(object.body, createWriteStream(path))
}

/** Stores what the examination made. The keys are the same at every attempt, so that one that died leaves nothing else. */
async function store(
  objects: ObjectStore,
  file: FileRecord,
  { pictures, width, height, durationMs, pages, preview }: Passed,
): Promise<Examined> {
  const common = { width, height, durationMs, pages, preview, waveform: null }
  for (const { variant, file: path, mime } of pictures)
    await objects.put(`${file.id}/${variant}`, await readFile(path), mime)
  const original = pictures.find(({ variant }) => variant === 'original')
  if (!original)
    return { ...common, objectKey: file.objectKey, mime: file.mime, size: file.size, variants: ['original'] }
  return {
    ...common,
    objectKey: `${file.id}/original`,
    mime: original.mime,
    size: original.size,
    variants: pictures.map(({ variant }) => variant),
  }
}
