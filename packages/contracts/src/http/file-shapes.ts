import { z } from 'zod'
import { timestamp } from '../ids.ts'
import { singleLine } from '../text/text.ts'

export const maxFileBytes = 50 * 1024 * 1024
export const maxDirectUploadBytes = 100 * 1024 * 1024
export const maxPictureBytes = 10 * 1024 * 1024

/** The name a user gave a file: shown and offered for saving, never part of a storage key. */
export const fileName = singleLine({ max: 255 }).refine(
  (name) => !/[/\\]/.test(name) && name !== '.' && name !== '..',
  'A name, not a path.',
)

export const fileId = z.uuid().meta({ examples: ['01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3c'] })

/** What a picture is shown for: a profile, or a room. */
export const picturePurpose = z.enum(['avatar', 'room_picture'])
export type PicturePurpose = z.infer<typeof picturePurpose>

export const filePurpose = z.enum(['attachment', ...picturePurpose.options]).meta({
  description:
    '`avatar`, `room_picture`: made square, for a profile or a room; anyone who knows the address can fetch it.',
})

export const fileState = z.enum(['uploading', 'checking', 'ready', 'refused']).meta({
  description: '`checking`: the content is being examined. `refused`: see `refusal`; the bytes are gone.',
})
export const fileKind = z.enum(['image', 'video', 'audio', 'document'])

export const fileVariant = z
  .enum(['original', 'thumb_320', 'thumb_1280'])
  .meta({ description: 'Thumbnails are WebP with that length of the longer side; images only.' })

const PICTURE_PATH = /^\/api\/pictures\/([0-9a-f-]{36})$/

/** Returns the address of a picture as profiles and rooms show it: relative to the origin of the API. */
export const pictureUrlOf = (pictureFileId: string) => `/api/pictures/${pictureFileId}`

/** Returns the file behind an address of `pictureUrlOf`, with any origin or none; undefined for another address. */
export function fileIdOfPicture(url: string): string | undefined {
  const base = 'http://gateway'
  if (!URL.canParse(url, base)) return undefined
  const id = PICTURE_PATH.exec(new URL(url, base).pathname)?.[1]
  return fileId.safeParse(id).success ? id : undefined
}

/**
 * The address of a picture, in an answer that is sent back. Pictures on other servers are refused: each viewer would
 * tell that server their IP address.
 */
export const ownPictureUrl = z
  .string()
  .max(500)
  .refine((url) => fileIdOfPicture(url) !== undefined, {
    error: 'Only a picture that was uploaded here: upload it with POST /files and send its file_id.',
  })
  .meta({ format: 'uri-reference', examples: ['/api/pictures/01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3c'] })

/** Refuses a request that chooses two pictures. */
export const oneOfTwoPictures = 'Send the file_id or the address of a picture, not both.'

/** What a request that chooses a picture is answered when the file cannot be one. */
export const pictureProblems = ['FILE_NOT_FOUND', 'FILE_NOT_READY', 'FILE_KIND_MISMATCH'] as const

/** Returns the file that a request chose as a picture; null: none from now on; undefined: as before. */
export function chosenPicture(
  file: string | null | undefined,
  url: string | null | undefined,
): string | null | undefined {
  if (typeof url === 'string') return fileIdOfPicture(url)
  return file === undefined ? url : file
}

/** Why the content of a file was refused. */
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
  width: z.int().positive().nullable().meta({ description: 'Pixels, after rotation by EXIF.' }),
  height: z.int().positive().nullable(),
  duration_ms: z.int().min(0).nullable().meta({ description: 'Of audio and video.' }),
  pages: z.int().positive().nullable().meta({ description: 'Of a PDF.' }),
  preview: z
    .string()
    .nullable()
    .meta({ description: 'A blurred miniature as a `data:` URL, to be shown until the image is loaded.' }),
  waveform: z
    .array(z.int().min(0).max(100))
    .nullable()
    .meta({ description: '64 peaks of a voice message, each 0..100.' }),
  variants: z.array(fileVariant).meta({ description: 'What can be fetched.' }),
}

/** A file as its owner sees it. */
export const storedFile = z.object({
  file_id: fileId,
  purpose: filePurpose,
  state: fileState,
  refusal: z.object({ code: refusalCode, detail: z.string() }).nullable(),
  kind: fileKind.nullable().meta({ description: 'Null until the content was examined.' }),
  name: z.string(),
  mime: z.string(),
  size: z.int().min(0).meta({ description: 'Bytes.' }),
  ...dimensions,
  created_at: timestamp,
  expires_at: timestamp
    .nullable()
    .meta({ description: 'When it is removed unless a message uses it; null: it stays.' }),
})
export type StoredFile = z.infer<typeof storedFile>

/** A file as a message shows it: what a client needs to lay it out before it is loaded. */
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
