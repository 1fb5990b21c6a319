import { getDocument, type Message } from '@bigtech/client'
import { call } from '../core/api.ts'

const MAX_BYTES = 10 * 2 ** 20
const POLL_MS = 2_000
const POLLS = 90
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

/** Returns whether the file of a message can be analyzed. */
export function isDocument({ file, is_deleted }: Message): boolean {
  if (!file || is_deleted || file.size > MAX_BYTES) return false
  return file.kind === 'image' || file.mime === 'application/pdf' || file.mime === XLSX
}

/** Waits for the end of an analysis. Returns the reason of a failure; undefined on success or timeout. */
export async function failureOf(document_id: string): Promise<string | undefined> {
  for (let poll = 0; poll < POLLS; poll++) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    const { data } = await call(getDocument, { params: { document_id } })
    if (data.status === 'failed') return data.error_detail ?? data.error_code ?? ''
    if (data.finished_at !== null) return undefined
  }
  return undefined
}
