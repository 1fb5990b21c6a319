import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { type Limits, runIsolated } from '../../extract/isolated.ts'
import type { CheckOutcome } from '../../extract/tasks.ts'
import type { ObjectStore } from '../../infrastructure/object-store.ts'
import { JobFailure } from '../jobs/job.ts'
import type { JobRun } from '../jobs/job-worker.ts'
import type { Examined } from './file.repository.ts'
import { type FileRecord, originalKey } from './file.ts'
import type { VirusScanner } from './virus-scanner.ts'

export interface InspectOptions {
  readonly objects: ObjectStore
  readonly scanner: VirusScanner | undefined
}

export interface Inspection {
  readonly file: FileRecord
  /** The directory of this attempt; deleted afterwards. */
  readonly folder: string
  /** The path of the downloaded file. */
  readonly path: string
  readonly run: JobRun
}

/** Decoding 50 megapixels needs about 300 MB; a PDF of 100 MB is held in memory. */
const LIMITS: Limits = { wallMs: 60_000, cpuSeconds: 40, rssMegabytes: 900, heapMegabytes: 400 }

/** Downloads an upload, scans it for viruses, and examines its content in a child process. */
export async function inspectUpload(
  { objects, scanner }: InspectOptions,
  { file, folder, path, run }: Inspection,
): Promise<CheckOutcome> {
  run.progress(5, 'fetching')
  await download(objects, file.objectKey, path)
  if (scanner) {
    run.progress(20, 'scanning')
    const virus = await scanner.scan(path)
    if (virus !== undefined) return { ok: false, code: 'INFECTED', detail: `The file is infected: ${virus}` }
  }
  run.progress(40, 'examining')
  const { mime, purpose } = file
  const input = { file: path, mime, kind: file.kind ?? 'document', purpose } as const
  return runIsolated({ name: 'check', folder, input }, LIMITS, run.signal)
}

/** Downloads an object. @throws JobFailure INCOMPLETE when it does not exist */
export async function download(store: ObjectStore, key: string, path: string): Promise<void> {
  const object = await store.get(key)
  if (!object) throw new JobFailure('INCOMPLETE', 'The bytes of the file were never uploaded.')
  await pipeline(object.body, createWriteStream(path))
}

/**
 * Stores the results of an examination. The keys are the same for every attempt, so that a crashed attempt
 * leaves no other object.
 */
export async function storeOutcome(
  objects: ObjectStore,
  file: FileRecord,
  { pictures, width, height, durationMs, pages, preview }: Extract<CheckOutcome, { ok: true }>,
): Promise<Examined> {
  const common = { width, height, durationMs, pages, preview, waveform: null }
  for (const { variant, file: path, mime } of pictures)
    await objects.put(`${file.id}/${variant}`, await readFile(path), mime)
  const original = pictures.find(({ variant }) => variant === 'original')
  if (!original)
    return { ...common, objectKey: file.objectKey, mime: file.mime, size: file.size, variants: ['original'] }
  return {
    ...common,
    objectKey: originalKey(file.id),
    mime: original.mime,
    size: original.size,
    variants: pictures.map(({ variant }) => variant),
  }
}
