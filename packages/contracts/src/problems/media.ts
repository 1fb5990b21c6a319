import type { ProblemTable } from './problem-definition.ts'

/** Files, documents and voice practice (media-service). */
export const mediaProblems = {
  FILE_NOT_FOUND: {
    status: 404,
    title: 'There is no such file.',
    meaning: 'Unknown, deleted, or not in a message that you can see.',
  },
  FILE_MISSING: {
    status: 422,
    title: 'The request contains no file.',
    meaning: 'Send `multipart/form-data` with a part named `file` that has a filename.',
  },
  FILE_EMPTY: { status: 422, title: 'The file is empty.', meaning: 'A file has at least one byte.' },
  FILE_TOO_LARGE: {
    status: 413,
    title: 'The file is too large.',
    meaning: '`detail` contains the limit. Use a direct upload for larger attachments, at most 100 MB.',
  },
  FILE_TYPE_REFUSED: {
    status: 415,
    title: 'This type of file is not accepted.',
    meaning:
      'The type is not allowed, or the content does not match its name and type. `detail` names the reason.',
  },
  FILE_NOT_READY: {
    status: 409,
    title: 'The file is not ready.',
    meaning:
      'It is still uploading or being examined, or was refused. `GET /files/{file_id}` returns its state.',
  },
  FILE_KIND_MISMATCH: {
    status: 422,
    title: 'The file does not match its use.',
    meaning:
      'An `image` message requires an image, `voice` audio, `video` a video; `file` accepts any file. A profile picture requires the purpose `avatar`, a room picture `room_picture`.',
  },
  FILE_IN_USE: {
    status: 409,
    title: 'This file is in use.',
    meaning:
      'A message, a profile or a room uses it. Delete the message for everybody or remove the picture; this also deletes the file.',
  },
  SCRIPT_NOT_FOUND: { status: 404, title: 'There is no such script.', meaning: '`GET /scripts` lists them.' },
  PRACTICE_TOKEN_NOT_FOUND: {
    status: 404,
    title: 'There is no such token.',
    meaning: '`GET /scripts/{script_id}` lists the tokens of a script.',
  },
  ANALYSIS_NOT_FOUND: {
    status: 404,
    title: 'There is no such analysis.',
    meaning: 'Unknown, deleted, or of another user.',
  },
  ANALYSIS_SUPERSEDED: {
    status: 409,
    title: 'This analysis is no longer expected.',
    meaning:
      'For analysis servers: the job has ended, or belongs to another attempt. Do not send the report again.',
  },
  WEBHOOK_SIGNATURE_INVALID: {
    status: 401,
    title: 'The signature of the webhook is not valid.',
    meaning:
      'For analysis servers: the body was altered, the secret is wrong, or the time stamp deviates by more than 5 minutes.',
  },
  QUOTA_EXCEEDED: {
    status: 403,
    title: 'Your storage is full.',
    meaning: '`detail` contains the remaining space. Delete files or messages with files.',
  },
  UPLOAD_CUT: {
    status: 400,
    title: 'The upload ended before the file was complete.',
    meaning: 'Nothing was stored. Upload the file again.',
  },
  UPLOAD_INCOMPLETE: {
    status: 409,
    title: 'Parts of the upload are missing.',
    meaning: '`GET /files/{file_id}/upload` lists them with new addresses.',
  },
  UPLOAD_OVER: {
    status: 409,
    title: 'This upload is complete.',
    meaning: 'No more parts can be sent. `GET /files/{file_id}` returns the state of the file.',
  },
  DOCUMENT_NOT_FOUND: {
    status: 404,
    title: 'There is no such document.',
    meaning: 'Unknown, deleted, or not yours.',
  },
  DOCUMENT_NOT_READY: {
    status: 409,
    title: 'The document has no result.',
    meaning:
      'The document is queued, being processed, failed or cancelled. `GET /documents/{document_id}` returns its state.',
  },
  DOCUMENT_BUSY: {
    status: 409,
    title: 'The document is being processed.',
    meaning: 'Wait until the processing has ended, or cancel it first.',
  },
  DOCUMENT_NOT_RUNNING: {
    status: 409,
    title: 'The document is not being processed.',
    meaning: 'The analysis has already ended.',
  },
  DOCUMENT_REFUSED: {
    status: 409,
    title: 'The content of the document was refused.',
    meaning: 'The bytes were deleted; `error_code` of the document contains the reason. Upload another file.',
  },
  JOB_NOT_FOUND: {
    status: 404,
    title: 'There is no such job.',
    meaning: 'Jobs are kept for 30 days after their end.',
  },
  JOB_STATE_CONFLICT: {
    status: 409,
    title: 'The job is not in a state that allows this.',
    meaning:
      'Queued and running jobs can be cancelled; failed and cancelled jobs can be retried while their file exists.',
  },
  RANGE_NOT_SATISFIABLE: {
    status: 416,
    title: 'The range is outside the file.',
    meaning: '`Content-Range` contains the size of the file.',
  },
} as const satisfies ProblemTable
