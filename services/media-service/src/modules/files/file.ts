import {
  type MessageFile,
  maxDirectUploadBytes,
  maxFileBytes,
  maxPictureBytes,
  picturePurpose,
  type StoredFile,
} from '@bigtech/contracts'
import { parse } from 'range-parser'

/** `document`: uploaded for analysis; accessible only by the documents API. */
export type FilePurpose = StoredFile['purpose'] | 'document'

const picturePurposes: readonly FilePurpose[] = picturePurpose.options

/** Returns whether files of that purpose are public pictures of profiles or rooms. */
export const isPicture = (purpose: FilePurpose): boolean => picturePurposes.includes(purpose)

export type FileKind = MessageFile['kind']
export type FileVariant = MessageFile['variants'][number]

/** A stored file. Its objects are below `<id>/` in the object store, under names never chosen by users. */
export interface FileRecord {
  readonly id: string
  readonly ownerId: number
  readonly purpose: FilePurpose
  readonly state: StoredFile['state']
  /** Derived from the declared type until the examination has proved it. */
  readonly kind: FileKind | null
  readonly name: string
  readonly mime: string
  readonly size: number
  /** Key of the original. */
  readonly objectKey: string
  readonly uploadId: string | null
  readonly width: number | null
  readonly height: number | null
  readonly durationMs: number | null
  readonly pages: number | null
  readonly preview: string | null
  readonly waveform: readonly number[] | null
  readonly variants: readonly FileVariant[]
  readonly refusal: { readonly code: string; readonly detail: string } | null
  readonly createdAt: Date
  readonly expiresAt: Date | null
}

export const folderOf = (fileId: string) => `${fileId}/`
/** Key of the upload; replaced for images, which are re-encoded. */
export const uploadKey = (fileId: string) => `${fileId}/upload`

export const originalKey = (fileId: string) => `${fileId}/original`

export function keyOf(file: FileRecord, variant: FileVariant): string {
  return variant === 'original' ? file.objectKey : `${file.id}/${variant}`
}

/** Returns the maximum file size for this kind of upload, in bytes. */
export function sizeLimit(purpose: FilePurpose, way: 'streamed' | 'direct'): number {
  if (purpose !== 'attachment') return maxPictureBytes
  return way === 'streamed' ? maxFileBytes : maxDirectUploadBytes
}

const kindsOfMessage: Readonly<Record<string, readonly FileKind[]>> = {
  image: ['image'],
  voice: ['audio'],
  video: ['video'],
  file: ['image', 'video', 'audio', 'document'],
}

/** Returns whether a message of that type may contain the file. */
export function fitsMessage(file: FileRecord, messageType: string): boolean {
  return file.kind !== null && (kindsOfMessage[messageType]?.includes(file.kind) ?? false)
}

function shownOf(file: FileRecord) {
  return {
    file_id: file.id,
    name: file.name,
    mime: file.mime,
    size: file.size,
    width: file.width,
    height: file.height,
    duration_ms: file.durationMs,
    pages: file.pages,
    preview: file.preview,
    waveform: file.waveform === null ? null : [...file.waveform],
    variants: [...file.variants],
  }
}

/** Returns a file in the API format for its owner. */
export function storedFileView(file: FileRecord): StoredFile {
  return {
    ...shownOf(file),
    kind: file.state === 'ready' ? file.kind : null,
    purpose: file.purpose as StoredFile['purpose'],
    state: file.state,
    refusal: file.refusal as StoredFile['refusal'],
    created_at: file.createdAt.toISOString(),
    expires_at: file.expiresAt?.toISOString() ?? null,
  }
}

/** Returns the metadata of a ready file for messages. */
export function messageFileView(file: FileRecord): MessageFile {
  return { ...shownOf(file), kind: file.kind! }
}

/** Returns the header of a download with the owner's file name (RFC 6266, RFC 8187); never displayed inline. */
export function dispositionOf(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`
}

/** Result code of range-parser. */
const MALFORMED = 1

/** Resolves a `Range` header with one range; null: outside the file; undefined: unsupported. */
export function parseRange(
  header: string | undefined,
  size: number,
): { first: number; last: number } | null | undefined {
  const { type, code, ranges } = parse(size, header ?? '')
  if (type !== 'bytes' || code === MALFORMED || ranges.length > 1) return undefined
  return ranges[0] ? { first: ranges[0].start, last: ranges[0].end } : null
}
