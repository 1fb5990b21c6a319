import { isProblem, NetworkFailure } from './api-problem.ts'
import type { AnswerOf } from './operation.ts'
import { completeUpload, getFile, getUpload, type StoredFile, startUpload } from './operations.ts'
import type { Session } from './session.ts'

export interface UploadOptions {
  readonly name: string
  /** The media type; default: that of the blob. */
  readonly mime?: string
  readonly purpose?: 'attachment' | 'avatar' | 'room_picture'
  /** Called with the number of received bytes: after each part, and in between where the platform supports it. */
  readonly onProgress?: (sentBytes: number, totalBytes: number) => void
  readonly signal?: AbortSignal
  /** Called with the file's id before its first byte is sent; store it to resume after a restart. */
  readonly onStart?: (fileId: string) => void | Promise<void>
  /** The id of an interrupted upload of the same bytes: only missing parts are sent. */
  readonly resume?: string | undefined
  /** Seconds to wait for the examination. Default 20; 0 returns immediately. */
  readonly waitSeconds?: number
}

const ATTEMPTS = 4
const RETRY_MS = 1_000

/**
 * Uploads a file in parts directly to the object store, retrying only missing parts.
 *
 * @returns the file; attach it to a message once its `state` is `ready`\n@throws ApiProblem FILE_TOO_LARGE,
 * QUOTA_EXCEEDED ...; NetworkFailure when parts could not be sent
 */
export async function upload(
  session: Pick<Session, 'call'>,
  file: Blob,
  options: UploadOptions,
): Promise<StoredFile> {
  const { signal, waitSeconds = 20, onProgress } = options
  let plan = await openPlan(session, file, options)
  const params = { file_id: plan.file.file_id }
  for (let attempt = 1; ; attempt++) {
    const failure = await sendParts(file, plan, onProgress, signal)
    if (!failure) break
    if (attempt === ATTEMPTS || signal?.aborted) throw failure
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS * attempt))
    // The response contains new addresses and omits the received parts.
    plan = await session.call(getUpload, { params })
  }
  const stored = plan.parts.length > 0 ? await session.call(completeUpload, { params }) : plan.file
  if (waitSeconds === 0) return stored
  return session.call(getFile, { params, query: { wait_seconds: waitSeconds } })
}

/** Returns the plan of the resumed upload, or of a new one. */
async function openPlan(
  session: Pick<Session, 'call'>,
  file: Blob,
  { name, purpose, resume, onStart, ...options }: UploadOptions,
): Promise<Plan> {
  if (resume) {
    const params = { file_id: resume }
    try {
      return await session.call(getUpload, { params })
    } catch (err) {
      // Every part had arrived.
      if (isProblem(err, 'UPLOAD_OVER'))
        return { file: await session.call(getFile, { params }), part_size: 1, parts: [], urls_expire_at: '' }
      if (!isProblem(err, 'FILE_NOT_FOUND')) throw err
    }
  }
  const mime = options.mime ?? (file.type || 'application/octet-stream')
  const body = { name, mime, size: file.size, ...(purpose ? { purpose } : {}) }
  const plan = await session.call(startUpload, { body })
  await onStart?.(plan.file.file_id)
  return plan
}

type Plan = AnswerOf<typeof startUpload>

/** Sends the missing parts in sequence. Returns the reason of a failure. */
async function sendParts(
  file: Blob,
  { parts, part_size }: Plan,
  onProgress: UploadOptions['onProgress'],
  signal: AbortSignal | undefined,
): Promise<unknown> {
  let sent = parts.reduce((sum, { received, size }) => sum + (received ? size : 0), 0)
  for (const { number, size, received, url } of parts) {
    if (received || url === null) continue
    if (signal?.aborted) return new NetworkFailure(signal.reason)
    const start = (number - 1) * part_size
    const failure = await putPart(url, file.slice(start, start + size), signal, (bytes) =>
      onProgress?.(sent + bytes, file.size),
    )
    if (failure) return failure
    sent += size
    onProgress?.(sent, file.size)
  }
  return undefined
}

/** The used part of XMLHttpRequest, the only way to observe upload progress in a browser. */
interface Xhr {
  readonly upload: { onprogress: ((event: { loaded: number }) => void) | null }
  readonly status: number
  onload: (() => void) | null
  onerror: (() => void) | null
  onabort: (() => void) | null
  open(method: string, url: string): void
  send(body: Blob): void
  abort(): void
}

async function putPart(
  url: string,
  part: Blob,
  signal: AbortSignal | undefined,
  onSent: (bytes: number) => void,
): Promise<unknown> {
  const { XMLHttpRequest } = globalThis as unknown as { XMLHttpRequest?: new () => Xhr }
  if (XMLHttpRequest) return putWithProgress(new XMLHttpRequest(), url, part, signal, onSent)
  try {
    const response = await fetch(url, { method: 'PUT', body: part, ...(signal ? { signal } : {}) })
    return response.ok
      ? undefined
      : new NetworkFailure(new Error(`The object store returned ${response.status}.`))
  } catch (err) {
    return new NetworkFailure(err)
  }
}

function putWithProgress(
  request: Xhr,
  url: string,
  part: Blob,
  signal: AbortSignal | undefined,
  onSent: (bytes: number) => void,
): Promise<unknown> {
  return new Promise((resolve) => {
    const fail = () => resolve(new NetworkFailure(new Error(`The object store returned ${request.status}.`)))
    request.upload.onprogress = ({ loaded }) => onSent(loaded)
    request.onload = () => (request.status < 300 ? resolve(undefined) : fail())
    request.onerror = fail
    request.onabort = fail
    signal?.addEventListener('abort', () => request.abort(), { once: true })
    request.open('PUT', url)
    request.send(part)
  })
}
