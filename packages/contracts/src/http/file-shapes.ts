import { z } from 'zod'
import { timestamp } from '../ids.ts'
import { singleLine } from '../text/text.ts'

export const maxFileBytes = 50 * 1024 * 1024
export const maxDirectUploadBytes = 100 * 1024 * 1024
export const maxPictureBytes = 10 * 1024 * 1024

/** The user's name for a file: shown and suggested for saving, never part of a storage key. */
export const fileName = singleLine({ max: 255 }).refine(
  (name) => !/[/\\]/.test(name) && name !== '.' && name !== '..',
  'Must be a file name, not a path.',
)

export const fileId = z.uuid().meta({ examples: ['01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3c'] })

/** The uses of a picture. */
export const picturePurpose = z.enum(['avatar', 'room_picture'])
export type PicturePurpose = z.infer<typeof picturePurpose>

export const filePurpose = z.enum(['attachment', ...picturePurpose.options]).meta({
  description:
    '`avatar`, `room_picture`: cropped to a square, for a profile or a room; its address is public.',
})

export const fileState = z.enum(['uploading', 'checking', 'ready', 'refused']).meta({
  description: '`checking`: the content is being examined. `refused`: see `refusal`; the bytes were deleted.',
})
export const fileKind = z.enum(['image', 'video', 'audio', 'document'])

export const fileVariant = z.enum(['original', 'thumb_320', 'thumb_1280']).meta({
  description: 'Thumbnails are WebP; the number is the length of the longer side in pixels. Images only.',
})

const PICTURE_PATH = /^\/api\/pictures\/([0-9a-f-]{36})$/

/** Returns a picture's address for profiles and rooms, relative to the origin of the API. */
export const pictureUrlOf = (pictureFileId: string) => `/api/pictures/${pictureFileId}`

/** Returns the file id in an address of `pictureUrlOf`, with or without an origin; undefined for any other address. */
export function fileIdOfPicture(url: string): string | undefined {
  const base = 'http://gateway'
  if (!URL.canParse(url, base)) return undefined
  const id = PICTURE_PATH.exec(new URL(url, base).pathname)?.[1]
  return fileId.safeParse(id).success ? id : undefined
}

/**
 * The address of a picture as returned by this API. Pictures on other servers are refused, because each viewer would
 * reveal their IP address to that server.
 */
export const ownPictureUrl = z
  .string()
  .max(500)
  .refine((url) => fileIdOfPicture(url) !== undefined, {
    error: 'Must be a picture of this installation: upload it with POST /files and send its file_id.',
  })
  .meta({ format: 'uri-reference', examples: ['/api/pictures/01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3c'] })

/** The error of a request with two pictures. */
export const oneOfTwoPictures = 'Send either the file_id or the address of a picture.'

/** Error codes of a request whose file cannot be used as a picture. */
export const pictureProblems = ['FILE_NOT_FOUND', 'FILE_NOT_READY', 'FILE_KIND_MISMATCH'] as const

/** Returns the picture's file id in a request; null removes the picture; undefined keeps it. */
export function chosenPicture(
  file: string | null | undefined,
  url: string | null | undefined,
): string | null | undefined {
  if (typeof url === 'string') return fileIdOfPicture(url)
  return file === undefined ? url : file
}

/** Reasons for refusing the content of a file. */
export const refusalCode = z.enum([
  'EMPTY',
  'TOO_LARGE',
  'TYPE_MISMATCH',
  'IMAGE_UNREADABLE',
  'IMAGE_TOO_LARGE',
  'ARCHIVE_UNSAFE',
  'DOCUMENT_UNREADABLE',
  'MEDIA_UNREADABLE',
  'INFECTED',
  'CHECK_FAILED',
  'INCOMPLETE',
])

const dimensions = {
  width: z.int().positive().nullable().meta({ description: 'Pixels, after EXIF rotation.' }),
  height: z.int().positive().nullable(),
  duration_ms: z.int().min(0).nullable().meta({ description: 'Duration of audio and video.' }),
  pages: z.int().positive().nullable().meta({ description: 'Page count of a PDF.' }),
  preview: z
    .string()
    .nullable()
    .meta({ description: 'A blurred preview as a `data:` URL, shown while the image loads.' }),
  waveform: z
    .array(z.int().min(0).max(100))
    .nullable()
    .meta({ description: '64 waveform peaks of a voice message, each 0..100.' }),
  variants: z.array(fileVariant).meta({ description: 'The renditions that can be fetched.' }),
}

/** A file as its owner sees it. */
export const storedFile = z.object({
  file_id: fileId,
  purpose: filePurpose,
  state: fileState,
  refusal: z.object({ code: refusalCode, detail: z.string() }).nullable(),
  kind: fileKind.nullable().meta({ description: 'Null until the content has been examined.' }),
  name: z.string(),
  mime: z.string(),
  size: z.int().min(0).meta({ description: 'Bytes.' }),
  ...dimensions,
  created_at: timestamp,
  expires_at: timestamp
    .nullable()
    .meta({ description: 'When the file is deleted unless a message uses it; null: it is kept.' }),
})
export type StoredFile = z.infer<typeof storedFile>

/** A file as embedded in a message: the metadata a client needs for layout before the file is loaded. */
export const messageFile = z.object({
  file_id: fileId,
  kind: fileKind,
  name: z.string(),
  mime: z.string(),
  size: z.int().min(0).meta({ description: 'Bytes.' }),
  ...dimensions,
})
export type MessageFile = z.infer<typeof messageFile>

export const messageFileExample = {
  file_id: '01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3c',
  kind: 'image' as const,
  name: '여행.jpg',
  mime: 'image/jpeg',
  size: 482_113,
  width: 1600,
  height: 1200,
  duration_ms: null,
  pages: null,
  preview: 'data:image/webp;base64,UklGRg==',
  waveform: null,
  variants: ['original' as const, 'thumb_320' as const, 'thumb_1280' as const],
}

export const storedFileExample = {
  ...messageFileExample,
  purpose: 'attachment' as const,
  state: 'ready' as const,
  refusal: null,
  created_at: '2026-01-27T10:00:00.000Z',
  expires_at: '2026-01-28T10:00:00.000Z',
} satisfies StoredFile

export const ofFile = z.object({ file_id: fileId })

/** What a user stores, and may store. */
export const storageUsage = z.object({
  used_bytes: z.int().min(0).meta({ description: 'Of files, documents and recordings of voice practice.' }),
  quota_bytes: z.int().min(0),
  file_count: z.int().min(0).meta({ description: 'Files and documents.' }),
  recording_count: z.int().min(0).meta({ description: 'Recordings of voice practice.' }),
})
export type StorageUsage = z.infer<typeof storageUsage>

export const storageUsageExample: StorageUsage = {
  used_bytes: 482_113,
  quota_bytes: 2_147_483_648,
  file_count: 1,
  recording_count: 0,
}
