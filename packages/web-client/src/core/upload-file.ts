import { ApiProblem, getFile, upload } from '@bigtech/client'
import { session } from './api.ts'
import { rememberBytes } from './file-cache.ts'
import type { OutgoingFile } from './outgoing-message.ts'

interface UploadFileOptions {
  readonly signal: AbortSignal
  readonly onStart: (fileId: string) => Promise<void>
  readonly onProgress: (sentBytes: number, totalBytes: number) => void
}

const WAIT_SECONDS = 20

/** Uploads a file and waits until it was examined. @throws ApiProblem with the reason when the server refuses it */
export async function uploadFile(file: OutgoingFile, options: UploadFileOptions): Promise<string> {
  const { name, mime, bytes, fileId } = file
  let stored = await upload(session, bytes, {
    name,
    mime,
    resume: fileId,
    waitSeconds: WAIT_SECONDS,
    ...options,
  })
  while (stored.state === 'checking' && !options.signal.aborted) {
    const params = { file_id: stored.file_id }
    stored = await session.call(getFile, { params, query: { wait_seconds: WAIT_SECONDS } })
  }
  if (stored.refusal) throw refused(stored.refusal)
  if (file.type === 'image') rememberBytes(stored.file_id, bytes)
  return stored.file_id
}

function refused({ code, detail }: { code: string; detail: string }): ApiProblem {
  return new ApiProblem({ title: detail, status: 422, code: `FILE_REFUSED_${code}`, request_id: '' })
}
