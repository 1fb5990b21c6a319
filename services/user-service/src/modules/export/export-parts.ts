import type { Readable } from 'node:stream'
import { pages } from '@bigtech/service-kit'
import { ARCHIVE_END, beforePart, type ExportPart, exportParts } from './export.ts'
import type { OwnDataRepository } from './own-data.repository.ts'

/** Clients that return the stored data of the token's user. @throws StoreUnavailable, Problem */
export type NeighbourExports = Readonly<
  Record<
    Exclude<ExportPart, 'account'>,
    (identity: { readonly requestId: string; readonly bearer: string }) => Promise<Readable>
  >
>

export interface PartRequest {
  readonly userId: number
  readonly requestId: string
  /** The user's access token, or a substitute. */
  readonly bearer: string
}

/** Returns profile and settings in the API's format. */
export type ProfileOf = (userId: number) => Promise<{ readonly profile: object; readonly settings: object }>

export type ReadPart = (part: ExportPart, request: PartRequest) => AsyncIterable<Uint8Array>

/** Returns a function that reads each part of an archive: as members of one JSON object, without its braces. */
export function createPartReader(deps: {
  own: OwnDataRepository
  profileOf: ProfileOf
  neighbours: NeighbourExports
}): ReadPart {
  const { own, neighbours } = deps
  return async function* readPart(part, request) {
    if (part !== 'account') {
      yield Buffer.from(`"${part}":`)
      yield* await neighbours[part](request)
      return
    }
    for await (const text of accountPart(deps.profileOf, own, request.userId)) yield Buffer.from(text)
  }
}

/** Streams an archive while its parts are read. @throws any error of a part, because no part may be omitted silently */
export async function* streamArchive(readPart: ReadPart, request: PartRequest): AsyncGenerator<Uint8Array> {
  const now = new Date()
  for (const part of exportParts) {
    yield Buffer.from(beforePart(part, now))
    yield* readPart(part, request)
  }
  yield Buffer.from(ARCHIVE_END)
}

type RowOf<Name extends 'sessions' | 'activities' | 'reports' | 'notices'> = Awaited<
  ReturnType<OwnDataRepository[Name]>
>[number]

async function* accountPart(
  profileOf: ProfileOf,
  own: OwnDataRepository,
  userId: number,
): AsyncGenerator<string> {
  const { profile, settings } = await profileOf(userId)
  const account = { profile, settings, sign_in: await own.signIn(userId) }
  yield JSON.stringify(account).slice(1, -1)
  yield* list(
    'sessions',
    pages<RowOf<'sessions'>>((last) => own.sessions(userId, last)),
    (session) => ({
      device: session.device,
      ip_prefix: session.ipPrefix,
      created_at: session.createdAt,
      last_seen_at: session.lastSeenAt,
      ended_at: session.endedAt,
    }),
  )
  yield* list(
    'activities',
    pages<RowOf<'activities'>>((last) => own.activities(userId, last)),
    (activity) => ({
      type: activity.type,
      data: JSON.parse(activity.data) as unknown,
      device: activity.device,
      ip_prefix: activity.ipPrefix,
      created_at: activity.createdAt,
    }),
  )
  yield* list(
    'reports',
    pages<RowOf<'reports'>>((last) => own.reports(userId, last)),
    (report) => ({
      target_id: report.targetId,
      message_id: report.messageId,
      reason: report.reason,
      comment: report.comment,
      created_at: report.createdAt,
      closed_at: report.closedAt,
    }),
  )
  yield* list(
    'moderation_notices',
    pages<RowOf<'notices'>>((last) => own.notices(userId, last)),
    (notice) => ({
      action: notice.action,
      message: notice.message,
      until: notice.until,
      created_at: notice.createdAt,
      acknowledged_at: notice.acknowledgedAt,
    }),
  )
}

async function* list<Row>(
  name: string,
  rows: AsyncIterable<Row>,
  bodyOf: (row: Row) => object,
): AsyncGenerator<string> {
  yield `,"${name}":[`
  let separator = ''
  for await (const row of rows) {
    yield separator + JSON.stringify(bodyOf(row))
    separator = ','
  }
  yield ']'
}
