/**
 * The catalog of error codes. Codes are stable: clients switch on them.
 * docs/errors.md is generated from this table.
 */
export interface ProblemDefinition {
  readonly status: number
  /** The same text at every occurrence (RFC 9457, 3.1.3). */
  readonly title: string
  /** The cause and what the client should do. For the documentation. */
  readonly meaning: string
}

export const problems = {
  // --- every service ---------------------------------------------------------------------------
  BODY_NOT_JSON: {
    status: 400,
    title: 'The body is not valid JSON.',
    meaning: 'The request body could not be parsed. Nothing was changed.',
  },
  BAD_REQUEST: {
    status: 400,
    title: 'The request is malformed.',
    meaning: 'The HTTP request itself is invalid, for example its headers. Nothing was changed.',
  },
  BODY_NOT_UTF8: {
    status: 400,
    title: 'The body is not valid UTF-8.',
    meaning: 'Text must be encoded in UTF-8. Nothing was changed.',
  },
  VALIDATION_FAILED: {
    status: 422,
    title: 'The request is not valid.',
    meaning: '`errors[]` names each invalid field and the reason.',
  },
  CURSOR_INVALID: {
    status: 422,
    title: 'The cursor is not valid.',
    meaning: 'A cursor is opaque: pass `next_cursor` unchanged to the same list, or omit it.',
  },
  NOT_AUTHENTICATED: {
    status: 401,
    title: 'Sign in first.',
    meaning: 'The `Authorization: Bearer` header is missing.',
  },
  TOKEN_INVALID: {
    status: 401,
    title: 'The access token is not valid.',
    meaning:
      '`detail` names the reason: expired, malformed, or sent without `Bearer`. Refresh it, or sign in again.',
  },
  SESSION_REVOKED: {
    status: 401,
    title: 'This session has ended.',
    meaning: 'The session was signed out, revoked, or ended for security. Sign in again.',
  },
  FORBIDDEN: {
    status: 403,
    title: 'You may not do this.',
    meaning: 'The account does not have the required permission.',
  },
  ACCOUNT_ROLE_REQUIRED: {
    status: 403,
    title: 'This requires a role that you do not have.',
    meaning: '`detail` names the role. The operators of the installation grant roles.',
  },
  NOT_FOUND: {
    status: 404,
    title: 'Not found.',
    meaning: 'It does not exist, or is not visible to you.',
  },
  ROUTE_NOT_FOUND: {
    status: 404,
    title: 'There is no such path.',
    meaning: '/api/docs lists every path of the gateway.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'This path does not support that method.',
    meaning: 'The `Allow` header lists the supported methods.',
  },
  REQUEST_TIMEOUT: {
    status: 408,
    title: 'The request took too long to arrive.',
    meaning: 'The headers or the body were not complete in time. Send the request again.',
  },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    title: 'The body is too large.',
    meaning: 'Send a smaller body. Nothing was changed.',
  },
  MEDIA_TYPE_UNSUPPORTED: {
    status: 415,
    title: 'This content type is not supported.',
    meaning: '`detail` names the supported type. Text must be encoded in UTF-8.',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    title: 'The headers are too large.',
    meaning: 'At most 16 KiB for all headers together. Send fewer or smaller headers.',
  },
  RATE_LIMITED: {
    status: 429,
    title: 'Too many requests.',
    meaning: 'Wait `Retry-After` seconds.',
  },
  INTERNAL: {
    status: 500,
    title: 'Something went wrong on our side.',
    meaning: 'A defect. Report it with the `request_id`.',
  },
  UNAVAILABLE: {
    status: 503,
    title: 'Temporarily unavailable.',
    meaning: 'A required store or service is unavailable. Retry after `Retry-After` seconds.',
  },
  OVERLOADED: {
    status: 503,
    title: 'The service is overloaded.',
    meaning: 'The service sheds load. Retry after `Retry-After` seconds.',
  },
  SHUTTING_DOWN: {
    status: 503,
    title: 'This instance is shutting down.',
    meaning: 'Retry: another instance will respond.',
  },
  GATEWAY_TIMEOUT: {
    status: 504,
    title: 'The service did not answer in time.',
    meaning: 'Retry: a send with the same `client_message_id` is never stored twice.',
  },
  // --- user-service ----------------------------------------------------------------------------
  EMAIL_TAKEN: {
    status: 400,
    title: 'This email address is already in use.',
    meaning: 'Addresses are unique regardless of case. Sign in, or use another address.',
  },
  USERNAME_TAKEN: {
    status: 400,
    title: 'This username is already in use.',
    meaning: 'The name, or one that looks like it, is taken or reserved. Choose another name.',
  },
  CREDENTIALS_INVALID: {
    status: 401,
    title: 'Email or password is wrong.',
    meaning: 'Deliberately the same for an unknown account and a wrong password.',
  },
  GOOGLE_TOKEN_INVALID: {
    status: 401,
    title: 'The ID token was refused.',
    meaning:
      'Not issued by Google for this app, expired, or with a nonce that was used before or is older than 10 minutes. Create a nonce and sign in with Google again.',
  },
  GOOGLE_EMAIL_UNVERIFIED: {
    status: 403,
    title: 'Google has not verified this email address.',
    meaning: 'Verify the address at Google, or sign up with a password.',
  },
  GOOGLE_LINK_REFUSED: {
    status: 409,
    title: 'An account with this unverified email address exists.',
    meaning:
      'Repeat the request once with the `password` of that account; or verify the address or reset the password, then sign in with Google again.',
  },
  GOOGLE_NOT_CONFIGURED: {
    status: 404,
    title: 'Sign-in with Google is not available.',
    meaning: '`GET /auth/providers` lists the available sign-in methods.',
  },
  REFRESH_TOKEN_INVALID: {
    status: 401,
    title: 'The refresh token is not valid.',
    meaning: 'Unknown, expired, or reused after its successor; the latter ends the session. Sign in again.',
  },
  LOGIN_LIMITED: {
    status: 429,
    title: 'Too many attempts to sign in.',
    meaning: 'Wait `Retry-After` seconds. Devices that have signed in before are not locked out by others.',
  },
  USER_NOT_FOUND: {
    status: 404,
    title: 'There is no such user.',
    meaning: 'Unknown, deleted, or not visible to you.',
  },
  SESSION_NOT_FOUND: {
    status: 404,
    title: 'There is no such session.',
    meaning: 'The session has already ended, or is not yours.',
  },
  PASSWORD_WRONG: {
    status: 403,
    title: 'Your current password is wrong.',
    meaning: 'This operation also requires your password. Nothing was changed.',
  },
  SECOND_FACTOR_REQUIRED: {
    status: 403,
    title: 'A code of the authenticator app is required.',
    meaning:
      'At a sign-in the password was right: send `challenge.token` and a code to `POST /auth/login/second-factor`. Elsewhere: repeat the request with `code`.',
  },
  SECOND_FACTOR_WRONG: {
    status: 403,
    title: 'This code is not valid.',
    meaning:
      'An authenticator code works once, within a minute; a recovery code works once. Nothing was changed.',
  },
  CHALLENGE_INVALID: {
    status: 400,
    title: 'This challenge is no longer valid.',
    meaning: 'It was used or has expired (5 minutes). Start again.',
  },
  PASSKEY_REFUSED: {
    status: 403,
    title: 'This passkey was not accepted.',
    meaning: 'The passkey is unknown, belongs to another site, or has an invalid signature.',
  },
  PASSKEY_LIMIT: {
    status: 403,
    title: 'You have too many passkeys.',
    meaning: 'At most 20. Remove a passkey first.',
  },
  PASSKEY_NOT_FOUND: {
    status: 404,
    title: 'There is no such passkey.',
    meaning: 'It was removed, or is not yours.',
  },
  TOTP_ENABLED: {
    status: 409,
    title: 'An authenticator app is already on.',
    meaning: 'Turn it off first.',
  },
  TOTP_NOT_ENABLED: {
    status: 409,
    title: 'No authenticator app is on.',
    meaning: 'Set one up with `POST /auth/totp`, and confirm it with a code.',
  },
  LINK_INVALID: {
    status: 400,
    title: 'This link is no longer valid.',
    meaning: 'It was used, has expired, or was replaced by a newer link. Request a new one.',
  },
  USERNAME_CHANGE_LIMIT: {
    status: 429,
    title: 'The username was changed recently.',
    meaning: 'It can be changed once in 30 days. Wait `Retry-After` seconds.',
  },
  EXPORT_NOT_FOUND: {
    status: 404,
    title: 'There is no archive of your data.',
    meaning: 'None was asked for, or it was deleted 7 days after it was ready. Ask for a new one.',
  },
  EXPORT_NOT_READY: {
    status: 409,
    title: 'Your archive is not ready.',
    meaning: 'It is still being built, or could not be built. `GET /profile/me/export` says which.',
  },
  DELETION_NOT_FOUND: {
    status: 404,
    title: 'There is no such deletion.',
    meaning: 'The response that scheduled the deletion contains the id.',
  },
  // --- friend-service --------------------------------------------------------------------------
  FRIEND_SELF: {
    status: 400,
    title: 'You cannot do this to yourself.',
    meaning: '`target_user_id` is your own id.',
  },
  FRIEND_REQUEST_EXISTS: {
    status: 400,
    title: 'A request to this user is already pending.',
    meaning: 'Wait for the answer, or cancel the request.',
  },
  ALREADY_FRIENDS: { status: 400, title: 'You are already friends.', meaning: 'Nothing to do.' },
  FRIEND_REQUEST_NOT_FOUND: {
    status: 404,
    title: 'There is no such friend request.',
    meaning: 'It was accepted, rejected, cancelled, has expired, or is not yours.',
  },
  FRIENDSHIP_NOT_FOUND: { status: 404, title: 'You are not friends.', meaning: 'Nothing to remove.' },
  FRIEND_REQUEST_REFUSED: {
    status: 403,
    title: 'You cannot send a request to this user.',
    meaning: 'You have blocked this user: unblock them first.',
  },
  INVITE_INVALID: {
    status: 404,
    title: 'This invite link is not valid.',
    meaning: 'Unknown, expired, or revoked by its owner. Ask for a new link.',
  },
  FRIEND_REQUESTS_CLOSED: {
    status: 403,
    title: 'This user does not accept friend requests from you.',
    meaning:
      'Their settings allow requests from nobody, or only from friends of friends. They can send you a request.',
  },
  FRIEND_REQUEST_LIMIT: {
    status: 429,
    title: 'Too many open friend requests.',
    meaning: 'At most 50 may be pending. Cancel a request, or wait until the oldest expires (`Retry-After`).',
  },
  // --- chat-service ----------------------------------------------------------------------------
  ROOM_NOT_FOUND: {
    status: 404,
    title: 'There is no such room.',
    meaning: 'Unknown, deleted, or not visible to you.',
  },
  NOT_A_MEMBER: {
    status: 403,
    title: 'You are not a member of this room.',
    meaning: 'Only members can read and write.',
  },
  ROLE_REQUIRED: {
    status: 403,
    title: 'Your role in this room does not allow this.',
    meaning: '`detail` names the required role.',
  },
  MEMBER_SILENCED: {
    status: 403,
    title: 'You have been muted in this room.',
    meaning: '`detail` contains the end of the mute. You can still read.',
  },
  ANNOUNCEMENTS_ONLY: {
    status: 403,
    title: 'Only the owner and admins may write in this room.',
    meaning: '`posting` of the room is `admins`. You can still read and react.',
  },
  SLOW_MODE: {
    status: 429,
    title: 'This room is in slow mode.',
    meaning: 'Wait `Retry-After` seconds between two messages. Owner and admins are exempt.',
  },
  DIRECT_MESSAGE_REFUSED: {
    status: 403,
    title: 'You cannot message this user.',
    meaning: 'Direct messages require friendship; the other user may have ended it.',
  },
  MEMBER_NOT_ADDABLE: {
    status: 403,
    title: 'A user on the list cannot be added.',
    meaning: '`errors[]` names the entries of `member_ids`.',
  },
  MEMBER_NOT_FOUND: {
    status: 404,
    title: 'This user is not a member of the room.',
    meaning: 'The user has left or was removed.',
  },
  ROOM_LIMIT: {
    status: 403,
    title: 'You are in too many rooms.',
    meaning: 'At most 2,000. Leave a room first.',
  },
  ROOM_IS_DIRECT: {
    status: 403,
    title: 'This is not possible in a 1:1 room.',
    meaning: 'A 1:1 room has two permanent members: no name, roles, invitations, leaving or deleting.',
  },
  ROOM_FULL: { status: 403, title: 'The room is full.', meaning: 'A group has at most 1,000 members.' },
  JOIN_LINK_LIMIT: {
    status: 403,
    title: 'The room has too many active links.',
    meaning: 'At most 20. Revoke a link first.',
  },
  JOIN_LINK_INVALID: {
    status: 404,
    title: 'This link is no longer valid.',
    meaning: 'Unknown, expired, used up, or revoked.',
  },
  MESSAGE_NOT_FOUND: {
    status: 404,
    title: 'There is no such message.',
    meaning: 'Unknown, deleted, or older than your access to the room.',
  },
  MESSAGE_ID_REUSED: {
    status: 409,
    title: 'This client_message_id was used for another message.',
    meaning: 'A retry must have the same body. Create a new id for a new message.',
  },
  EDIT_WINDOW_OVER: {
    status: 403,
    title: 'This message can no longer be edited.',
    meaning: 'Messages may be edited for 24 hours after sending.',
  },
  REACTION_LIMIT: {
    status: 403,
    title: 'This message has the maximum number of different reactions.',
    meaning: 'At most 20 different emoji per message.',
  },
  PIN_LIMIT: { status: 403, title: 'Too many pinned messages.', meaning: 'Unpin another one first.' },
  SEQ_OUT_OF_RANGE: {
    status: 422,
    title: 'There is no message with this seq yet.',
    meaning: 'A read position cannot exceed the newest message.',
  },
  TICKET_INVALID: {
    status: 401,
    title: 'The stream ticket is not valid.',
    meaning: 'A ticket works once, within 30 seconds. Create a new one.',
  },
  // --- notification-service --------------------------------------------------------------------
  SUBSCRIPTION_NOT_FOUND: {
    status: 404,
    title: 'There is no such push subscription.',
    meaning: 'It has ended (or the browser dropped it), or is not yours.',
  },
  // --- moderation ------------------------------------------------------------------------------
  ACCOUNT_SUSPENDED: {
    status: 403,
    title: 'This account is suspended.',
    meaning: '`detail` contains the end and the reason. Returned only after the right password.',
  },
  ACCOUNT_MUTED: {
    status: 403,
    title: 'You cannot send anything at the moment.',
    meaning: 'A moderator has muted the account; `detail` contains the end of the mute. You can still read.',
  },
  REPORT_SELF: {
    status: 400,
    title: 'You cannot report yourself.',
    meaning: 'The report is about you, or about your own message.',
  },
  REPORT_NOT_FOUND: {
    status: 404,
    title: 'There is no such report.',
    meaning: 'Unknown, or erased with the reported account.',
  },
  REPORT_CLOSED: {
    status: 409,
    title: 'This report has already been decided.',
    meaning: 'Another moderator decided first. Fetch it again; `lift` is still possible.',
  },
  MODERATION_REFUSED: {
    status: 403,
    title: 'You cannot decide about this user.',
    meaning: 'The user is you, or their role is not below yours.',
  },
  NOTICE_NOT_FOUND: {
    status: 404,
    title: 'There is no such notice.',
    meaning: 'Unknown, or not yours.',
  },
  // --- media-service ---------------------------------------------------------------------------
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
} as const satisfies Record<string, ProblemDefinition>

export type ProblemCode = keyof typeof problems
