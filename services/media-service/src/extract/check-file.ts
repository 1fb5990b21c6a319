import { open, readFile } from 'node:fs/promises'
import { fileTypeFromBuffer } from 'file-type'
import { checkArchive } from './archive.ts'
import { type FileType, fileTypes } from './file-types.ts'
import { Refusal } from './refusal.ts'
import type { CheckInput, CheckOutcome } from './tasks.ts'

/** Enough for every signature known to file-type. */
export const HEAD_BYTES = 4_100

const nothing = { width: null, height: null, durationMs: null, pages: null, preview: null, pictures: [] }

/** Examines a file, cheapest checks first: no parser runs on a file that an earlier check refuses. */
export async function checkFile(input: CheckInput, folder: string): Promise<CheckOutcome> {
  try {
    const type = fileTypes.find(({ mime, kind }) => mime === input.mime && kind === input.kind)
    if (!type) throw new Refusal('TYPE_MISMATCH', 'The type is not accepted.')
    await assertSignature(input.file, type)
    if (type.archiveEntry) await checkArchive(input.file, type.archiveEntry)
    if (type.kind === 'image') {
      const { makePictures } = await import('./pictures.ts')
      return { ok: true, ...nothing, ...(await makePictures(input, folder)) }
    }
    if (type.kind === 'audio' || type.kind === 'video')
      return { ok: true, ...nothing, ...(await readMedia(input.file, type)) }
    if (type.mime === 'application/pdf') return { ok: true, ...nothing, pages: await countPages(input.file) }
    return { ok: true, ...nothing }
  } catch (err) {
    if (err instanceof Refusal) return { ok: false, code: err.code, detail: err.message }
    throw err
  }
}

async function assertSignature(file: string, type: FileType): Promise<void> {
  const handle = await open(file)
  try {
    const buffer = Buffer.alloc(HEAD_BYTES)
    const { bytesRead } = await handle.read(buffer, 0, HEAD_BYTES, 0)
    if (bytesRead === 0) throw new Refusal('EMPTY', 'The file is empty.')
    if (!(await looksLike(buffer.subarray(0, bytesRead), type)))
      throw new Refusal('TYPE_MISMATCH', `The content is not ${type.mime}.`)
  } finally {
    await handle.close()
  }
}

/** Returns whether the first bytes of a file match its type. */
export async function looksLike(head: Buffer, type: FileType): Promise<boolean> {
  const found = await fileTypeFromBuffer(head)
  if (type.signatures.length > 0) return found !== undefined && type.signatures.includes(found.mime)
  // Plain text: no known signature, no NUL, and a valid UTF-8 beginning.
  return found === undefined && !head.includes(0) && isUtf8Beginning(head)
}

function isUtf8Beginning(head: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true })
    return true
  } catch {
    return false
  }
}

async function readMedia(file: string, type: FileType) {
  const { parseFile } = await import('music-metadata')
  try {
    const { format } = await parseFile(file, { duration: true, skipCovers: true })
    const hasVideo = format.hasVideo === true
    if (type.kind === 'video' && format.hasVideo === false)
      throw new Refusal('TYPE_MISMATCH', 'The file contains no video.')
    if (type.kind === 'audio' && hasVideo) throw new Refusal('TYPE_MISMATCH', 'The file contains a video.')
    const { duration } = format
    return { durationMs: duration === undefined ? null : Math.round(duration * 1_000) }
  } catch (err) {
    if (err instanceof Refusal) throw err
    throw new Refusal('MEDIA_UNREADABLE', 'The audio or video cannot be read.')
  }
}

async function countPages(file: string): Promise<number> {
  const { getDocumentProxy } = await import('unpdf')
  try {
    const document = await getDocumentProxy(new Uint8Array(await readFile(file)), { verbosity: 0 })
    return document.numPages
  } catch {
    throw new Refusal('DOCUMENT_UNREADABLE', 'The PDF cannot be read; it may be damaged or protected.')
  }
}
