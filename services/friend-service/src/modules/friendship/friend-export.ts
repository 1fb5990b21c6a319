import type { After, FriendListsRepository, PendingRequest, Relation } from './friend-lists.repository.ts'
import { noteView, requestView } from './friend-views.ts'

const EXPORT_BATCH = 1_000

/** Returns all data about a user, for the account's archive. */
export async function exportFriendsOf(repository: FriendListsRepository, me: number, nowMs: number) {
  const [friends, blocked, restricted, sent, received] = await Promise.all([
    allRelations((after) => repository.friends(me, EXPORT_BATCH, after)),
    allRelations((after) => repository.flagged('blocked', me, EXPORT_BATCH, after)),
    allRelations((after) => repository.flagged('restricted', me, EXPORT_BATCH, after)),
    allRequests((beforeId) => repository.outgoing(me, nowMs, EXPORT_BATCH, beforeId)),
    allRequests((beforeId) => repository.incoming(me, nowMs, EXPORT_BATCH, beforeId)),
  ])
  return {
    user_id: me,
    exported_at: new Date(nowMs).toISOString(),
    friends: friends.map((row) => ({
      user_id: row.userId,
      friends_since: row.at.toISOString(),
      ...noteView(row),
    })),
    requests_sent: sent.map(requestView),
    requests_received: received.map(requestView),
    blocked: blocked.map((row) => ({ user_id: row.userId, blocked_at: row.at.toISOString() })),
    restricted: restricted.map((row) => ({ user_id: row.userId, restricted_at: row.at.toISOString() })),
  }
}

async function allRelations<Row extends Relation>(read: (after?: After) => Promise<Row[]>): Promise<Row[]> {
  const all = await read()
  for (let batch = all; batch.length === EXPORT_BATCH; all.push(...batch)) {
    const last = batch.at(-1)!
    batch = await read({ atMs: last.at.getTime(), userId: last.userId })
  }
  return all
}

async function allRequests(read: (beforeId: number) => Promise<PendingRequest[]>): Promise<PendingRequest[]> {
  const all = await read(Number.MAX_SAFE_INTEGER)
  for (let batch = all; batch.length === EXPORT_BATCH; all.push(...batch)) {
    batch = await read(batch.at(-1)!.id)
  }
  return all
}
