import type { ProblemTable } from './problem-definition.ts'

/** Codes that every service may return. */
export const sharedProblems = {
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
    title: 'The service did not respond in time.',
    meaning: 'Retry: a send with the same `client_message_id` is never stored twice.',
  },
} as const satisfies ProblemTable
