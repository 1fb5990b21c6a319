import { userUpdated } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'
import { recordActivity } from '../activity/activity-log.ts'
import { searchTermsOf } from '../directory/search-terms.ts'
import { changeUser } from '../history/user-changes.ts'
import { AlreadyTaken, takenBy } from './account.errors.ts'
import { isReserved, skeletonDigest } from './username.ts'

export type UsernameRepository = ReturnType<typeof createUsernameRepository>

export type UsernameChange = 'changed' | 'unchanged' | 'gone' | { readonly notBefore: Date }

const DAY_MS = 86_400_000
const CHANGE_EVERY_MS = 30 * DAY_MS
const RESERVED_MS = 90 * DAY_MS

/** Creates the repository of username changes. */
export function createUsernameRepository(mysql: Mysql, outbox: Outbox) {
  return {
    /** Changes the username and reserves the old one. @throws AlreadyTaken */
    change: (userId: number, username: string, correlationId: string): Promise<UsernameChange> =>
      mysql
        .transaction('changeUsername', (tx) => change(tx, outbox, { userId, username, correlationId }))
        .catch((err: unknown) => {
          throw takenBy(err) ?? err
        }),

    /** Releases expired reservations. */
    release: (now: Date) =>
      mysql.run('releaseReserved', (db) =>
        db.reservedUsername.deleteMany({ where: { reservedUntil: { lt: now } } }),
      ),
  }
}

/** Returns whether another user has given up this name recently. Call after writing it, in the same transaction. */
export async function isNameHeldBack(tx: Transaction, username: string, userId: number): Promise<boolean> {
  const held = await tx.reservedUsername.findFirst({
    where: { skeleton: skeletonDigest(username), reservedUntil: { gt: new Date() }, userId: { not: userId } },
    select: { userId: true },
  })
  return held !== null
}

async function change(
  tx: Transaction,
  outbox: Outbox,
  { userId, username, correlationId }: { userId: number; username: string; correlationId: string },
): Promise<UsernameChange> {
  // Raw: Prisma has no FOR UPDATE.
  await tx.$queryRaw`SELECT id FROM users WHERE id = ${userId} FOR UPDATE`
  const before = await tx.user.findFirst({ where: { id: userId, status: 'active' } })
  if (!before) return 'gone'
  if (before.username === username) return 'unchanged'
  const now = new Date()
  const notBefore = new Date((before.usernameChangedAt?.getTime() ?? 0) + CHANGE_EVERY_MS)
  if (notBefore > now) return { notBefore }
  if (isReserved(username)) throw new AlreadyTaken('username')
  const [was, is] = [skeletonDigest(before.username), skeletonDigest(username)]
  const change = { username, usernameChangedAt: now, updatedAt: now }
  const user = await changeUser(tx, userId, 'username_changed', change, { isPublished: true })
  if (await isNameHeldBack(tx, username, userId)) throw new AlreadyTaken('username')
  await tx.reservedUsername.deleteMany({ where: { skeleton: { in: [was, is] }, userId } })
  if (Buffer.compare(was, is) !== 0) {
    const reservedUntil = new Date(now.getTime() + RESERVED_MS)
    await tx.reservedUsername.deleteMany({ where: { skeleton: was, reservedUntil: { lt: now } } })
    await tx.reservedUsername.create({ data: { skeleton: was, userId, reservedUntil } })
  }
  await tx.userSearchTerm.deleteMany({ where: { userId } })
  const terms = searchTermsOf({ username, displayName: user.displayName })
  await tx.userSearchTerm.createMany({ data: terms.map((term) => ({ term, userId })) })
  const payload = {
    user_id: userId,
    username,
    display_name: user.displayName,
    status_message: user.statusMessage,
    profile_image_url: user.profileImageUrl,
    locale: user.locale,
    profile_version: user.version,
  }
  await outbox.enqueue(tx, userUpdated, payload, { correlationId })
  await recordActivity(tx, { userId, type: 'username_changed' })
  return 'changed'
}
