import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { type Limits, runIsolated } from '../../extract/isolated.ts'
import { documentOutputs } from '../../extract/tasks.ts'
import type { FileRepository, MadeFile } from '../files/file.repository.ts'
import { originalKey } from '../files/file.ts'
import {
  download,
  type Inspection,
  type InspectOptions,
  inspectUpload,
  storeOutcome,
} from '../files/inspection.ts'
import type { ClaimedJob, JobEffects } from '../jobs/job.ts'
import type { JobHandler } from '../jobs/job-worker.ts'
import type { DocumentRepository } from './document.repository.ts'
import { type DocumentRecord, outputKey } from './document.ts'
import type { DocumentQueries } from './document-queries.repository.ts'

export interface ProcessDocumentOptions extends InspectOptions {
  readonly files: FileRepository
  readonly documents: DocumentRepository
  readonly documentQueries: Pick<DocumentQueries, 'find'>
}

/** Reading an A4 page at 200 dpi takes about 6 s of CPU time and 225 MB. */
const LIMITS: Limits = { wallMs: 120_000, cpuSeconds: 90, rssMegabytes: 900, heapMegabytes: 512 }

interface Work extends Inspection {
  readonly job: ClaimedJob
  readonly document: DocumentRecord
}

/** Examines a document like any file, then extracts its content and writes the reports. */
export function processDocumentJob(options: ProcessDocumentOptions): JobHandler {
  const { files, documents, documentQueries } = options
  return {
    isLong: true,
    run: async (job, run) => {
      const document = await documentQueries.find(job.subjectId)
      const file = await files.find(job.subjectId)
      if (document?.jobId !== job.id || !file) return async () => undefined
      const folder = await mkdtemp(join(tmpdir(), 'media-'))
      try {
        return await process(options, { job, document, file, folder, path: join(folder, 'upload'), run })
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
    ...documentEffects(documents),
  }
}

export function documentEffects(documents: DocumentRepository): JobEffects {
  return {
    onFailed: (tx, id, failure) => documents.end(tx, id, failure),
    onRetried: (tx, id) => documents.waitAgain(tx, id),
  }
}

async function process(options: ProcessDocumentOptions, work: Work): ReturnType<JobHandler['run']> {
  const { files, documents, objects } = options
  const { job, document, file, folder, path, run } = work
  const examined = file.state === 'ready' ? undefined : await inspectUpload(options, work)
  if (examined?.ok === false) return (tx) => documents.end(tx, file.id, examined, true)
  if (!examined) await download(objects, file.objectKey, path)
  run.progress(50, 'extracting')
  const input = { file: path, type: document.type, name: document.name }
  const outcome = await runIsolated({ name: 'extract', folder, input }, LIMITS, run.signal)
  if (!outcome.ok) return (tx) => documents.end(tx, file.id, outcome, true)
  run.progress(85, 'storing')
  const found = examined && (await storeOutcome(objects, file, examined))
  for (const [name, mime] of Object.entries(documentOutputs))
    await objects.put(outputKey(file.id, name), await readFile(join(folder, name)), mime)
  const report = await storeReport(options, work, outcome.figures.language)
  return async (tx) => {
    if (found) await files.accept(tx, file, found)
    await documents.complete(tx, document, outcome.figures, { report, requestId: job.requestId })
  }
}

/** Stores the report as a separate file for the requesting message's room. */
async function storeReport(
  { objects }: ProcessDocumentOptions,
  { job, document, folder }: Work,
  language: string | null,
): Promise<MadeFile | null> {
  if (document.request === null) return null
  const bytes = await readFile(join(folder, 'report.pdf'))
  const mime = documentOutputs['report.pdf']
  const id = reportIdOf(job.id)
  await objects.put(originalKey(id), bytes, mime)
  const base = document.name.slice(0, document.name.length - extname(document.name).length).slice(0, 200)
  const name = `${base} ${language === 'ko' ? '분석 보고서' : 'report'}.pdf`
  return { id, ownerId: document.ownerId, name, mime, size: bytes.length }
}

/**
 * Returns the same id for every attempt of a job, so that a crashed attempt leaves no other file. A UUID of
 * version 8.
 */
function reportIdOf(jobId: string): string {
  const hex = createHash('sha256').update(`report ${jobId}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
