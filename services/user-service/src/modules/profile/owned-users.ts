import { userDeleted, userUpdated } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import { type Fact, pages } from '@bigtech/service-kit'
import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'
import { canSignIn } from '../account/account.ts'

const PAGE = 500
/** More than any user changes between a backup and its restore. */
export const VERSION_STEP = 1_000_000

type Row = NonNullable<Awaited<ReturnType<Transaction['user']['findFirst']>>>

const nextUsers = (
  db: Pick<Transaction, 'user'>,
  last: { readonly id: number } | undefined,
): Promise<Row[]> =>
  db.user.findMany({
    where: { id: { gt: last?.id ?? 0 }, status: { not: 'reserved' } },
    orderBy: { id: 'asc' },
    take: PAGE,
  })

/** Iterates all users, except reserved accounts that no other service knows, in the format copied by other services, in id order. */
export async function* ownedUsers(mysql: Mysql): AsyncGenerator<Fact, void> {
  for await (const row of pages<Row>((last) => mysql.run('ownedUsers', (db) => nextUsers(db, last)))) {
    yield {
      kind: 'user',
      ids: [row.id],
      fields: {
        deleted: !canSignIn(row.status),
        registered_on: row.createdAt.toISOString().slice(0, 10),
        email: row.email,
        username: row.username,
        display_name: row.displayName,
        status_message: row.statusMessage,
        profile_image_url: row.profileImageUrl,
        locale: row.locale,
      },
    }
  }
}

/**
 * Publishes the current state of every user: UserUpdated, or UserDeleted for a deleted account. Returns the
 * number of events.
 *
 * @param raiseVersions raises every version first, so that copies newer than a restored user are replaced
 * too
 */
export async function republishUsers(
  mysql: Mysql,
  outbox: Outbox,
  { raiseVersions, correlationId }: { readonly raiseVersions: boolean; readonly correlationId: string },
): Promise<number> {
  let events = 0
  let last: Row | undefined
  do {
    last = await mysql.transaction('republishUsers', async (tx) => {
      const rows = await nextUsers(tx, last)
      if (rows.length > 0 && raiseVersions)
        await tx.user.updateMany({
          where: { id: { in: rows.map(({ id }) => id) } },
          data: { version: { increment: VERSION_STEP } },
        })
      for (const row of rows) {
        const version = row.version + (raiseVersions ? VERSION_STEP : 0)
        if (await publishUser(tx, outbox, { ...row, version }, correlationId)) events++
      }
      return rows.at(-1)
    })
  } while (last)
  return events
}

/** Publishes a user as they are: UserUpdated, or UserDeleted. Returns whether there was anything to publish. */
export async function publishUser(
  tx: Transaction,
  outbox: Outbox,
  row: Row,
  correlationId: string,
): Promise<boolean> {
  if (row.status === 'reserved') return false
  if (!canSignIn(row.status)) return publishDeletion(tx, outbox, row.id, correlationId)
  const payload = {
    user_id: row.id,
    username: row.username,
    display_name: row.displayName,
    status_message: row.statusMessage,
    profile_image_url: row.profileImageUrl,
    locale: row.locale,
    profile_version: row.version,
    ...(row.email === null ? {} : { email: row.email }),
  }
  await outbox.enqueue(tx, userUpdated, payload, { correlationId })
  return true
}

async function publishDeletion(
  tx: Transaction,
  outbox: Outbox,
  userId: number,
  correlationId: string,
): Promise<boolean> {
  const deletion = await tx.accountDeletion.findUnique({ where: { userId } })
  if (!deletion) return false
  const message_policy = deletion.messagePolicy === 'remove' ? 'remove' : 'keep'
  const payload = { user_id: userId, deletion_id: deletion.id, message_policy } as const
  await outbox.enqueue(tx, userDeleted, payload, { correlationId })
  return true
}
