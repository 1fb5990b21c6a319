import { z } from 'zod'
import { timestamp } from '../ids.ts'
import { defineRoute } from './define-route.ts'
import {
  fileId,
  fileName,
  filePurpose,
  fileVariant,
  maxDirectUploadBytes,
  messageFile,
  messageFileExample,
  ofFile,
  picturePurpose,
  storageUsage,
  storageUsageExample,
  storedFile,
  storedFileExample,
} from './file-shapes.ts'
import { messageIdParam } from './message-shapes.ts'
import { onePage, pageQuery, wholeNumber } from './paging.ts'

const tag = 'files'
const fetchQuery = z.object({
  variant: fileVariant.default('original'),
  message_id: messageIdParam.optional().meta({
    description: 'A message that contains this file and that you can see. Not needed for your own files.',
  }),
})
const fileProblems = ['FILE_NOT_FOUND'] as const
const uploadProblems = ['FILE_EMPTY', 'FILE_TOO_LARGE', 'FILE_TYPE_REFUSED', 'QUOTA_EXCEEDED'] as const
const oneFile = (status: 200 | 201 | 202, description: string) =>
  ({ status, description, schema: storedFile, example: storedFileExample }) as const

export const uploadFile = defineRoute({
  operationId: 'uploadFile',
  method: 'POST',
  path: '/files',
  tag,
  summary: 'Upload a file of up to 50 MB',
  description:
    '`multipart/form-data`: first `purpose` (optional, `attachment` by default), then `file`. Streamed; send a `Content-Length`. The file is examined afterwards: poll `GET /files/{file_id}?wait_seconds=20` until its state is `ready` or `refused`. At most 10 MB for a profile or room picture.',
  bodyType: 'multipart',
  success: oneFile(201, 'The file is stored and being examined.'),
  problems: [...uploadProblems, 'FILE_MISSING', 'UPLOAD_CUT', 'MEDIA_TYPE_UNSUPPORTED', 'VALIDATION_FAILED'],
})

const uploadPlan = z.object({
  file: storedFile,
  part_size: z.int().positive().meta({ description: 'Size in bytes of every part except the last.' }),
  parts: z.array(
    z.object({
      number: z.int().positive(),
      size: z.int().positive(),
      received: z.boolean(),
      url: z
        .string()
        .nullable()
        .meta({ description: '`PUT` the bytes of the part to this address; null: already received.' }),
    }),
  ),
  urls_expire_at: timestamp,
})
const uploadPlanExample = {
  file: { ...storedFileExample, state: 'uploading' as const, kind: null, variants: [], preview: null },
  part_size: 8_388_608,
  parts: [
    { number: 1, size: 482_113, received: false, url: 'https://objects.example/files/abc?partNumber=1' },
  ],
  urls_expire_at: '2026-01-27T10:15:00.000Z',
}

export const startUpload = defineRoute({
  operationId: 'startUpload',
  method: 'POST',
  path: '/files/uploads',
  tag,
  summary: 'Begin a direct upload of up to 100 MB',
  description:
    'Upload each part to its address in the object store, in any order, and retry as needed; then call `POST /files/{file_id}/complete`. Resume an interrupted upload with `GET /files/{file_id}/upload`. Unfinished uploads are removed after 24 hours.',
  body: z.strictObject({
    name: fileName,
    mime: z
      .string()
      .max(100)
      .regex(/^[\w.+-]+\/[\w.+-]+$/, 'Must be a media type.'),
    size: z.int().positive('Must be at least one byte.').max(maxDirectUploadBytes, 'At most 100 MB.'),
    purpose: filePurpose.default('attachment'),
  }),
  bodyExample: { name: '여행.jpg', mime: 'image/jpeg', size: 482_113 },
  success: {
    status: 201,
    description: 'The addresses of the parts.',
    schema: uploadPlan,
    example: uploadPlanExample,
  },
  problems: [...uploadProblems],
})

export const getUpload = defineRoute({
  operationId: 'getUpload',
  method: 'GET',
  path: '/files/:file_id/upload',
  tag,
  summary: 'The received parts of a direct upload, and new addresses for the missing parts',
  params: ofFile,
  success: { status: 200, description: 'Its parts.', schema: uploadPlan, example: uploadPlanExample },
  problems: [...fileProblems, 'UPLOAD_OVER'],
})

export const completeUpload = defineRoute({
  operationId: 'completeUpload',
  method: 'POST',
  path: '/files/:file_id/complete',
  tag,
  summary: 'Complete a direct upload; the file is then examined',
  description: 'Idempotent.',
  params: ofFile,
  success: oneFile(202, 'Being examined.'),
  problems: [...fileProblems, 'UPLOAD_INCOMPLETE'],
})

export const listFiles = defineRoute({
  operationId: 'listFiles',
  method: 'GET',
  path: '/files',
  tag,
  summary: 'Your files, newest first',
  query: pageQuery,
  success: onePage(storedFile, 'A page of files.', storedFileExample),
  problems: ['CURSOR_INVALID'],
})

export const getStorageUsage = defineRoute({
  operationId: 'getStorageUsage',
  method: 'GET',
  path: '/files/usage',
  tag,
  summary: 'How much of your storage is used',
  success: {
    status: 200,
    description: 'Bytes.',
    schema: storageUsage,
    example: storageUsageExample,
  },
})

export const getFile = defineRoute({
  operationId: 'getFile',
  method: 'GET',
  path: '/files/:file_id',
  tag,
  summary: 'One of your files',
  params: ofFile,
  query: z.object({
    wait_seconds: wholeNumber({ max: 25 })
      .default(0)
      .meta({ description: 'Long poll: wait until the file has been examined, at most this long.' }),
  }),
  success: oneFile(200, 'The file.'),
  problems: [...fileProblems],
})

export const deleteFile = defineRoute({
  operationId: 'deleteFile',
  method: 'DELETE',
  path: '/files/:file_id',
  tag,
  summary: 'Delete a file that no message uses',
  params: ofFile,
  success: { status: 204, description: 'The file and its bytes are deleted.' },
  problems: [...fileProblems, 'FILE_IN_USE'],
})

export const getFileContent = defineRoute({
  operationId: 'getFileContent',
  method: 'GET',
  path: '/files/:file_id/content',
  tag,
  summary: 'The bytes of a file',
  description:
    'Your own file, or a file in a message that you can see: pass that message. Supports `Range` (one range). With `redirect` the response is a 302 to an object-store address valid for 60 s.',
  params: ofFile,
  query: fetchQuery.extend({
    redirect: z
      .enum(['true', 'false'])
      .default('false')
      .meta({ description: 'Redirect instead of sending the bytes.' }),
  }),
  success: {
    status: 200,
    description: 'The bytes; 206 for a range.',
    contentType: 'application/octet-stream',
  },
  problems: [...fileProblems, 'FILE_NOT_READY', 'RANGE_NOT_SATISFIABLE'],
})

export const getFileLink = defineRoute({
  operationId: 'getFileLink',
  method: 'GET',
  path: '/files/:file_id/link',
  tag,
  summary: 'Create an address of a file that works for 60 seconds without a token',
  description: 'For `<img>` and `<video>`, which cannot send a token.',
  params: ofFile,
  query: fetchQuery,
  success: {
    status: 200,
    description: 'The address.',
    schema: z.object({ url: z.string(), expires_at: timestamp }),
    example: { url: 'https://objects.example/files/abc', expires_at: '2026-01-27T10:01:00.000Z' },
  },
  problems: [...fileProblems, 'FILE_NOT_READY'],
})

export const claimFile = defineRoute({
  operationId: 'claimFile',
  method: 'POST',
  path: '/files/:file_id/claim',
  tag,
  summary: 'Reserve a file of yours for a message that is about to be sent',
  description:
    'Called by chat-service on behalf of the sender. The file then stays for 7 days even if no message follows.',
  params: ofFile,
  body: z.strictObject({ message_type: z.enum(['image', 'file', 'voice', 'video']) }),
  bodyExample: { message_type: 'image' },
  success: {
    status: 200,
    description: 'The metadata that the message embeds.',
    schema: messageFile,
    example: messageFileExample,
  },
  problems: [...fileProblems, 'FILE_NOT_READY', 'FILE_KIND_MISMATCH'],
})

export const claimPicture = defineRoute({
  operationId: 'claimPicture',
  method: 'POST',
  path: '/files/:file_id/claim-picture',
  tag,
  summary: 'Keep a picture of yours for a profile or a room that is about to show it',
  description:
    'Called by user-service and chat-service in the name of the owner. The file then stays for 7 days even if nothing shows it.',
  params: ofFile,
  body: z.strictObject({ purpose: picturePurpose }),
  bodyExample: { purpose: 'avatar' },
  success: { status: 204, description: 'Kept.' },
  problems: [...fileProblems, 'FILE_NOT_READY', 'FILE_KIND_MISMATCH'],
})

export const getPicture = defineRoute({
  operationId: 'getPicture',
  method: 'GET',
  path: '/pictures/:file_id',
  tag: 'pictures',
  summary: 'The picture of a profile or a room',
  description: 'Public, so that `<img>` can show it. The content never changes.',
  auth: 'public',
  params: z.object({ file_id: fileId }),
  success: { status: 200, description: 'The picture.', contentType: 'image/webp' },
  problems: ['FILE_NOT_FOUND'],
})
