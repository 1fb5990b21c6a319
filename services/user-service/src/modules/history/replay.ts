import { uuidv7 } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import type { Finding } from '@bigtech/service-kit'
import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'
import { takenBy } from '../account/account.errors.ts'
import { searchTermsOf } from '../directory/search-terms.ts'
import { publishUser, VERSION_STEP } from '../profile/owned-users.ts'
import { appendUserEvent, derivedOf, type UserRow } from './user-changes.ts'
import { differences, foldUserEvents, type StoredUserEvent, stateOf, type UserState } from './user-history.ts'

/** What becomes of a user whose row is not what the history says: nothing, the row as the history has it, or the other way round. */
export type Repair = 'none' | 'rebuild' | 'snapshot'

const PAGE = 500

/** Folds the history of every user, or of one, and reports each row that is not what it leads to. */
export async function replayUsers(
  mysql: Mysql,
  outbox: Outbox,
  { userId, repair }: { readonly userId?: number | undefined; readonly repair: Repair },
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (let after = 0; ; ) {
    const ids = userId === undefined ? await nextIds(mysql, after) : [userId]
    const page = await mysql.run('replayPage', (db) => readPage(db, ids))
    // A user who changed between two reads of the page is read again, locked.
    for (const id of ids) {
      if (whatDiffers(page.rows.get(id), page.histories.get(id)) === null) continue
      const finding = await mysql
        .transaction('replayUser', (tx) => check(tx, outbox, id, repair))
        .catch((err: unknown) => refused(err, id))
      if (finding) findings.push(finding)
    }
    after = ids.at(-1) ?? 0
    if (userId !== undefined || ids.length < PAGE) return findings
  }
}

/** Raw: Prisma has no UNION. A row may be missing as well as a history. */
function nextIds(mysql: Mysql, after: number): Promise<number[]> {
  return mysql.run('replayIds', async (db) => {
    const rows = await db.$queryRaw<{ id: number | bigint }[]>`SELECT id FROM (
        (SELECT id FROM users WHERE id > ${after} ORDER BY id LIMIT ${PAGE})
        UNION (SELECT DISTINCT user_id FROM user_events WHERE user_id > ${after} ORDER BY user_id LIMIT ${PAGE})
      ) AS ids ORDER BY id LIMIT ${PAGE}`
    return rows.map(({ id }) => Number(id))
  })
}

async function readPage(db: Pick<Transaction, 'user' | 'userEvent'>, ids: readonly number[]) {
  const rows = await db.user.findMany({ where: { id: { in: [...ids] } } })
  const events = await db.userEvent.findMany({
    where: { userId: { in: [...ids] } },
    orderBy: { id: 'asc' },
    select: { userId: true, type: true, data: true },
  })
  const grouped = Map.groupBy(events, (event) => event.userId)
  const histories = new Map<number, StoredUserEvent[]>(grouped)
  return { rows: new Map(rows.map((row) => [row.id, row])), histories }
}

/** Returns what is wrong, for a person; null when row and history agree. */
function whatDiffers(row: UserRow | undefined, events: readonly StoredUserEvent[] = []): string | null {
  const history = foldUserEvents(events)
  if (!row) return history ? 'the row is missing' : null
  if (!history) return 'there is no history'
  const names = differences(stateOf(row), history)
  const said = names.map(
    (name) => `${name} is ${JSON.stringify(row[name])}, by its history ${JSON.stringify(history[name])}`,
  )
  return said.length > 0 ? said.join('; ') : null
}

async function check(
  tx: Transaction,
  outbox: Outbox,
  userId: number,
  repair: Repair,
): Promise<Finding | null> {
  // Raw: Prisma has no FOR UPDATE.
  await tx.$queryRaw`SELECT id FROM users WHERE id = ${userId} FOR UPDATE`
  const { rows, histories } = await readPage(tx, [userId])
  const row = rows.get(userId)
  const detail = whatDiffers(row, histories.get(userId))
  if (detail === null) return null
  const history = foldUserEvents(histories.get(userId) ?? [])
  if (repair === 'rebuild' && history) await rebuild(tx, outbox, userId, history, row)
  if (repair === 'snapshot' && row) await appendUserEvent(tx, userId, 'snapshot', stateOf(row))
  const isFixed = repair === 'rebuild' ? history !== null : repair === 'snapshot' && row !== undefined
  return { subject: `user ${userId}`, detail, isFixed }
}

/** Neighbors hear of it: a raised version replaces their copies, and what is cached. */
async function rebuild(
  tx: Transaction,
  outbox: Outbox,
  userId: number,
  history: UserState,
  before: UserRow | undefined,
): Promise<void> {
  const state = { ...history, ...derivedOf(userId, history) }
  const row = await tx.user.upsert({
    where: { id: userId },
    update: { ...state, version: { increment: 1 } },
    create: {
      ...state,
      id: userId,
      usernameKey: state.usernameKey ?? '',
      version: before?.version ?? VERSION_STEP,
    },
  })
  await tx.userSearchTerm.deleteMany({ where: { userId } })
  if (row.status !== 'deleted' && row.status !== 'reserved') {
    const terms = searchTermsOf(row)
    await tx.userSearchTerm.createMany({ data: terms.map((term) => ({ term, userId })) })
  }
  await publishUser(tx, outbox, row, uuidv7())
}

function refused(err: unknown, userId: number): Finding {
  const taken = takenBy(err)
  if (!taken) throw err
  const detail = `not rebuilt: another account has its ${taken.what} by now`
  return { subject: `user ${userId}`, detail, isFixed: false }
}
