/**
 * Every error code a client can meet. Codes are stable: clients switch on them.
 * docs/errors.md is generated from this table.
 */
export interface ProblemDefinition {
  readonly status: number
  /** The same sentence at every occurrence (RFC 9457, 3.1.3). */
  readonly title: string
  /** What happened and what a client does about it. For the documentation. */
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
    meaning: 'The HTTP request itself is wrong (for example its headers). Nothing was changed.',
  },
  BODY_NOT_UTF8: {
    status: 400,
    title: 'The body is not valid UTF-8.',
    meaning: 'Text is read in UTF-8 alone: its bytes would be lost otherwise. Nothing was changed.',
  },
  VALIDATION_FAILED: {
    status: 422,
    title: 'The request is not valid.',
    meaning: '`errors[]` names each field and what is wrong with it.',
  },
  CURSOR_INVALID: {
    status: 422,
    title: 'The cursor is not valid.',
    meaning: 'A cursor is opaque: send back `next_cursor` as it came, to the same list, or none.',
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
      '`detail` says whether it has expired, is malformed, or was sent without `Bearer`. Refresh, or sign in again.',
  },
  SESSION_REVOKED: {
    status: 401,
    title: 'This session has ended.',
    meaning: 'It was signed out, revoked, or ended for safety. Sign in again.',
  },
  FORBIDDEN: {
    status: 403,
    title: 'You may not do this.',
    meaning: 'Signed in, but without the right to do this.',
  },
  ACCOUNT_ROLE_REQUIRED: {
    status: 403,
    title: 'This needs a role that you do not have.',
    meaning: '`detail` names the role. It is granted by the operators of the installation.',
  },
  NOT_FOUND: {
    status: 404,
    title: 'There is no such thing here.',
    meaning: 'It does not exist, or its existence is private to others.',
  },
  ROUTE_NOT_FOUND: {
    status: 404,
    title: 'There is no such path.',
    meaning: '/api/docs lists every path of the gateway.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'This path does not take that method.',
    meaning: 'The `Allow` header lists those it takes.',
  },
  REQUEST_TIMEOUT: {
    status: 408,
    title: 'The request took too long to arrive.',
    meaning: 'Its headers or its body were not complete in time. Send it again.',
  },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    title: 'The body is too large.',
    meaning: 'Send less. Nothing was changed.',
  },
  MEDIA_TYPE_UNSUPPORTED: {
    status: 415,
    title: 'This content type is not supported.',
    meaning: '`detail` says which one the operation takes. Text is sent in UTF-8.',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    title: 'The headers are too large.',
    meaning: 'At most 16 KiB for all of them together. Send less.',
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
    meaning: 'A store or service that this needs is down. Retry after `Retry-After` seconds.',
  },
  OVERLOADED: {
    status: 503,
    title: 'Too busy right now.',
    meaning: 'The service protects itself. Retry after `Retry-After` seconds.',
  },
  SHUTTING_DOWN: {
    status: 503,
    title: 'This instance is stopping.',
    meaning: 'Retry: another instance answers.',
  },
  GATEWAY_TIMEOUT: {
    status: 504,
    title: 'The service did not answer in time.',
    meaning: 'Retry; a repeated send with the same `client_message_id` is never stored twice.',
  },
  // --- user-service ----------------------------------------------------------------------------
  EMAIL_TAKEN: {
    status: 400,
    title: 'This email address is already in use.',
    meaning: 'Addresses are unique regardless of case. Sign in, or use another one.',
  },
  USERNAME_TAKEN: {
    status: 400,
    title: 'This username is already in use.',
    meaning: 'Somebody has it, or one that looks like it; or it is reserved. Choose another one.',
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
      'Not from Google, for another app, expired, or with a nonce that was used before or is older than 10 minutes. Ask for a nonce and sign in with Google again.',
  },
  GOOGLE_EMAIL_UNVERIFIED: {
    status: 403,
    title: 'Google has not verified this email address.',
    meaning: 'Verify the address at Google, or sign up with a password.',
  },
  GOOGLE_LINK_REFUSED: {
    status: 409,
    title: 'An account with this email address exists, and its address is not verified.',
    meaning:
      'Send the same request again with the `password` of that account, once; or verify the address, or reset the password, and sign in with Google again.',
  },
  GOOGLE_NOT_CONFIGURED: {
    status: 404,
    title: 'This installation has no sign-in with Google.',
    meaning: '`GET /auth/providers` says which ways to sign in there are.',
  },
  REFRESH_TOKEN_INVALID: {
    status: 401,
    title: 'The refresh token is not valid.',
    meaning: 'Unknown, expired, or used again too late: then its whole session ends. Sign in again.',
  },
  LOGIN_LIMITED: {
    status: 429,
    title: 'Too many attempts to sign in.',
    meaning: 'Wait `Retry-After` seconds. Devices that signed in before are not locked out by others.',
  },
  USER_NOT_FOUND: {
    status: 404,
    title: 'There is no such user.',
    meaning: 'Unknown, deleted, or not visible to you.',
  },
  SESSION_NOT_FOUND: {
    status: 404,
    title: 'There is no such session.',
    meaning: 'It has already ended, or is not yours.',
  },
  PASSWORD_WRONG: {
    status: 403,
    title: 'Your current password is wrong.',
    meaning: 'You are signed in, but this needs your password as well. Nothing was changed.',
  },
  SECOND_FACTOR_REQUIRED: {
    status: 403,
    title: 'A code of the authenticator app is needed.',
    meaning:
      'At a sign-in: the password is right; send `challenge.token` and a code to `POST /auth/login/second-factor`. Elsewhere: repeat the request with `code`.',
  },
  SECOND_FACTOR_WRONG: {
    status: 403,
    title: 'This code is not valid.',
    meaning:
      'A code of the app works once, within a minute; a recovery code works once. Nothing was changed.',
  },
  CHALLENGE_INVALID: {
    status: 400,
    title: 'This challenge is not valid any more.',
    meaning: 'It was used or has expired (5 minutes). Begin again.',
  },
  PASSKEY_REFUSED: {
    status: 403,
    title: 'This passkey was not accepted.',
    meaning: 'It is unknown here, belongs to another site, or its signature does not match.',
  },
  PASSKEY_LIMIT: {
    status: 403,
    title: 'You have too many passkeys.',
    meaning: 'At most 20. Remove one first.',
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
    title: 'This link is not valid any more.',
    meaning: 'It was used, has expired, or was replaced by a newer one. Ask for a new one.',
  },
  USERNAME_CHANGE_LIMIT: {
    status: 429,
    title: 'The username was changed not long ago.',
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
    meaning: 'The id comes with the answer that started the deletion of an account.',
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
    meaning: 'Answered, cancelled or expired meanwhile, or not yours.',
  },
  FRIENDSHIP_NOT_FOUND: { status: 404, title: 'You are not friends.', meaning: 'Nothing to remove.' },
  FRIEND_REQUEST_REFUSED: {
    status: 403,
    title: 'You cannot send a request to this user.',
    meaning: 'You have blocked this user: unblock first.',
  },
  INVITE_INVALID: {
    status: 404,
    title: 'This invite link does not work.',
    meaning: 'Unknown, expired, or ended by its owner. Ask for a new one.',
  },
  FRIEND_REQUESTS_CLOSED: {
    status: 403,
    title: 'This user takes no friend requests from you.',
    meaning: 'By their settings: from nobody, or from friends of friends only. They can send you one.',
  },
  FRIEND_REQUEST_LIMIT: {
    status: 429,
    title: 'Too many open friend requests.',
    meaning: 'At most 50 may be pending. Cancel one, or wait until the oldest expires (`Retry-After`).',
  },
  // --- chat-service ----------------------------------------------------------------------------
  ROOM_NOT_FOUND: {
    status: 404,
    title: 'There is no such room.',
    meaning: 'Unknown, deleted, or private to others.',
  },
  NOT_A_MEMBER: {
    status: 403,
    title: 'You are not a member of this room.',
    meaning: 'Posting and reading need membership.',
  },
  ROLE_REQUIRED: {
    status: 403,
    title: 'Your role in this room does not allow this.',
    meaning: '`detail` names the role that does.',
  },
  MEMBER_SILENCED: {
    status: 403,
    title: 'You have been muted in this room.',
    meaning: '`detail` says until when. Reading goes on.',
  },
  ANNOUNCEMENTS_ONLY: {
    status: 403,
    title: 'Only the owner and admins may write in this room.',
    meaning: '`posting` of the room is `admins`. Reading and reacting go on.',
  },
  SLOW_MODE: {
    status: 429,
    title: 'This room is in slow mode.',
    meaning: 'Wait `Retry-After` seconds between two messages. Not for owner and admins.',
  },
  DIRECT_MESSAGE_REFUSED: {
    status: 403,
    title: 'You cannot message this user.',
    meaning: 'Direct messages go between friends; the other person may have ended the friendship.',
  },
  MEMBER_NOT_ADDABLE: {
    status: 403,
    title: 'Somebody on the list cannot be added.',
    meaning: '`errors[]` names the entries of `member_ids`.',
  },
  MEMBER_NOT_FOUND: {
    status: 404,
    title: 'This user is not a member of the room.',
    meaning: 'Left or removed meanwhile.',
  },
  ROOM_LIMIT: {
    status: 403,
    title: 'You are in too many rooms.',
    meaning: 'At most 2,000. Leave some first.',
  },
  ROOM_IS_DIRECT: {
    status: 403,
    title: 'This is not possible in a 1:1 room.',
    meaning: 'A 1:1 room has its two people for good: no name, roles, invitations, leaving or deleting.',
  },
  ROOM_FULL: { status: 403, title: 'The room is full.', meaning: 'A group takes at most 1,000 members.' },
  JOIN_LINK_LIMIT: {
    status: 403,
    title: 'The room has too many links that still work.',
    meaning: 'At most 20. Revoke some first.',
  },
  JOIN_LINK_INVALID: {
    status: 404,
    title: 'This link does not work any more.',
    meaning: 'Unknown, expired, used up, or revoked.',
  },
  MESSAGE_NOT_FOUND: {
    status: 404,
    title: 'There is no such message.',
    meaning: 'Unknown, deleted, or from before you could see the room.',
  },
  MESSAGE_ID_REUSED: {
    status: 409,
    title: 'This client_message_id was used for another message.',
    meaning: 'A repeat must carry the same body. Make a new id for a new message.',
  },
  EDIT_WINDOW_OVER: {
    status: 403,
    title: 'This message can no longer be edited.',
    meaning: 'Messages may be edited for 24 hours after sending.',
  },
  REACTION_LIMIT: {
    status: 403,
    title: 'This message has all the kinds of reaction it can take.',
    meaning: 'At most 20 different emoji a message.',
  },
  PIN_LIMIT: { status: 403, title: 'Too many pinned messages.', meaning: 'Unpin another one first.' },
  SEQ_OUT_OF_RANGE: {
    status: 422,
    title: 'There is no message with that seq yet.',
    meaning: 'A read position cannot be beyond the newest message.',
  },
  TICKET_INVALID: {
    status: 401,
    title: 'The stream ticket is not valid.',
    meaning: 'Tickets work once, within 30 seconds. Get a new one.',
  },
  // --- notification-service --------------------------------------------------------------------
  SUBSCRIPTION_NOT_FOUND: {
    status: 404,
    title: 'There is no such push subscription.',
    meaning: 'It has ended (also by itself, when the browser dropped it), or is not yours.',
  },
  // --- moderation ------------------------------------------------------------------------------
  ACCOUNT_SUSPENDED: {
    status: 403,
    title: 'This account is suspended.',
    meaning: '`detail` says until when and why. Only said to whoever knows the password.',
  },
  ACCOUNT_MUTED: {
    status: 403,
    title: 'You may not send anything for now.',
    meaning: 'A moderator has muted the account; `detail` says until when. Reading goes on.',
  },
  REPORT_SELF: {
    status: 400,
    title: 'You cannot report yourself.',
    meaning: 'The report is about you, or about a message of your own.',
  },
  REPORT_NOT_FOUND: {
    status: 404,
    title: 'There is no such report.',
    meaning: 'Unknown, or erased with the account that it was about.',
  },
  REPORT_CLOSED: {
    status: 409,
    title: 'This report has been decided.',
    meaning: 'Another moderator was first. Fetch it again; `lift` is still possible.',
  },
  MODERATION_REFUSED: {
    status: 403,
    title: 'You may not decide about this user.',
    meaning: 'It is yourself, or their role is not below yours.',
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
    meaning: 'Unknown, removed, or not in a message that you can see.',
  },
  FILE_MISSING: {
    status: 422,
    title: 'The request carries no file.',
    meaning: 'Send `multipart/form-data` with a part named `file` that has a filename.',
  },
  FILE_EMPTY: { status: 422, title: 'The file is empty.', meaning: 'A file has at least one byte.' },
  FILE_TOO_LARGE: {
    status: 413,
    title: 'The file is too large.',
    meaning: '`detail` names the limit. Larger attachments go by a direct upload, at most 100 MB.',
  },
  FILE_TYPE_REFUSED: {
    status: 415,
    title: 'This type of file is not accepted.',
    meaning:
      'The type is not allowed, or the content is not what its name and type say. `detail` says which.',
  },
  FILE_NOT_READY: {
    status: 409,
    title: 'The file is not ready.',
    meaning: 'It is still uploading or being examined, or was refused. `GET /files/{file_id}` says which.',
  },
  FILE_KIND_MISMATCH: {
    status: 422,
    title: 'The file does not fit its use.',
    meaning:
      'An `image` message takes an image, `voice` audio, `video` a video, `file` anything; a profile takes a file uploaded with the purpose `avatar`, a room one with `room_picture`.',
  },
  FILE_IN_USE: {
    status: 409,
    title: 'This file is in use.',
    meaning:
      'A message, a profile or a room shows it. Delete the message for everybody, or take the picture away: the file goes with it.',
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
    meaning: 'Unknown, removed, or of another user.',
  },
  ANALYSIS_SUPERSEDED: {
    status: 409,
    title: 'This analysis does not count any more.',
    meaning:
      'For analysis servers: the job has ended without it, or was given to another attempt. Do not send the report again.',
  },
  WEBHOOK_SIGNATURE_INVALID: {
    status: 401,
    title: 'The signature of the webhook is not valid.',
    meaning:
      'For analysis servers: the body was altered, the secret is another one, or the time stamp is more than 5 minutes off.',
  },
  QUOTA_EXCEEDED: {
    status: 403,
    title: 'Your storage is full.',
    meaning: '`detail` says how much is left. Delete files or messages with files.',
  },
  UPLOAD_CUT: {
    status: 400,
    title: 'The upload ended before the file was complete.',
    meaning: 'Nothing was stored. Send it again.',
  },
  UPLOAD_INCOMPLETE: {
    status: 409,
    title: 'Parts of the upload are missing.',
    meaning: '`GET /files/{file_id}/upload` lists them with new addresses.',
  },
  UPLOAD_OVER: {
    status: 409,
    title: 'This upload is complete.',
    meaning: 'Nothing more can be sent. `GET /files/{file_id}` says what became of it.',
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
      'It waits, is being processed, has failed or was cancelled. `GET /documents/{document_id}` says which.',
  },
  DOCUMENT_BUSY: {
    status: 409,
    title: 'The document is being processed.',
    meaning: 'Wait until it has ended, or cancel it first.',
  },
  DOCUMENT_NOT_RUNNING: {
    status: 409,
    title: 'The document is not being processed.',
    meaning: 'Its analysis has ended: there is nothing to cancel.',
  },
  DOCUMENT_REFUSED: {
    status: 409,
    title: 'The content of the document was refused.',
    meaning: 'Its bytes are gone; `error_code` of the document says why. Upload another file.',
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
      'Waiting and running jobs can be cancelled; failed and cancelled ones can be retried if their file is still there.',
  },
  RANGE_NOT_SATISFIABLE: {
    status: 416,
    title: 'The range is outside of the file.',
    meaning: '`Content-Range` says how long the file is.',
  },
} as const satisfies Record<string, ProblemDefinition>

export type ProblemCode = keyof typeof problems
