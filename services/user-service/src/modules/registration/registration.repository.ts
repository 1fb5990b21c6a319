import { type NotificationPreferences, pictureUrlOf } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import { inBatches } from '@bigtech/stores'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'
import { takenBy } from '../account/account.errors.ts'
import { announceUser, insertUser, type NewAccount, RESERVED } from '../account/new-account.ts'
import { discardReserved } from '../deletion/erase-user.ts'
import { changeUser } from '../history/user-changes.ts'
import { publishUser } from '../profile/owned-users.ts'
import type {
  LeasedRegistration,
  PictureMime,
  Registration,
  RegistrationExtras,
  RegistrationFailure,
  RegistrationState,
} from './registration.ts'

export type RegistrationRepository = ReturnType<typeof createRegistrationRepository>

type Lease = Pick<LeasedRegistration, 'id' | 'leaseId'>
type Progress = { fileId: string | null } | { pictureDoneAt: Date } | { settingsDoneAt: Date }

/** Another process has taken over the registration. */
export class LeaseLost extends Error {}

const PURGE_BATCH = 500
const DETAIL_LENGTH = 300
/** Set at the end, in either outcome. */
const cleared = { picture: null, pictureMime: null, settings: null, leaseId: null }

/** Creates the repository of registrations: one row each, which records the steps that are done. */
export function createRegistrationRepository(mysql: Mysql, outbox: Outbox, leaseMs: number) {
  return {
    /** Reserves address and username with an account that cannot sign in yet. @throws AlreadyTaken */
    reserve: (
      account: NewAccount,
      { picture, preferences }: RegistrationExtras,
      dueMs: number,
    ): Promise<string> =>
      mysql
        .transaction('reserveAccount', async (tx) => {
          const { userId, createdAt } = await insertUser(tx, account, RESERVED)
          const id = crypto.randomUUID()
          await tx.registration.create({
            data: {
              ...{ id, userId, state: 'running', requestedAt: createdAt, leasedUntil: createdAt },
              dueAt: new Date(createdAt.getTime() + dueMs),
              hasPicture: picture !== null,
              hasSettings: preferences !== null,
              ...(picture && { pictureMime: picture.mime, picture: Uint8Array.from(picture.bytes) }),
              ...(preferences && { settings: JSON.stringify(preferences) }),
            },
            select: { id: true },
          })
          return id
        })
        .catch((err: unknown) => {
          throw takenBy(err) ?? err
        }),

    find: (id: string) =>
      mysql.run('findRegistration', async (db): Promise<Registration | null> => {
        const row = await db.registration.findUnique({ where: { id }, omit: { picture: true } })
        if (!row) return null
        const { failure, failureDetail, state, ...rest } = row
        return {
          ...rest,
          state: state as RegistrationState,
          failure: failure && { code: failure as RegistrationFailure, detail: failureDetail ?? '' },
        } as Registration
      }),

    /** Leases a running registration that no other process works on; null when there is none. */
    claim: async (): Promise<LeasedRegistration | null> => {
      const now = new Date()
      const where = { state: 'running', leasedUntil: { lte: now } }
      const isDue = Prisma.sql`SELECT 1 FROM registrations WHERE state = 'running' AND leased_until <= ${now}`
      if (!(await mysql.has(isDue))) return null
      const due = await mysql.run('dueRegistration', (db) =>
        db.registration.findFirst({ where, orderBy: { leasedUntil: 'asc' }, select: { id: true } }),
      )
      if (!due) return null
      const leaseId = crypto.randomUUID()
      const { count } = await mysql.run('claimRegistration', (db) =>
        db.registration.updateMany({
          where: { id: due.id, ...where },
          data: { leaseId, leasedUntil: new Date(now.getTime() + leaseMs) },
        }),
      )
      return count === 1 ? mysql.run('leasedRegistration', (db) => readLeased(db, due.id, leaseId)) : null
    },

    /** Records a step. @throws LeaseLost */
    record: (lease: Lease, progress: Progress): Promise<void> =>
      mysql.run('recordRegistration', (db) => hold(db, lease, progress, leaseMs)),

    /** Activates the account and announces it, in one transaction. @throws LeaseLost */
    activate: (lease: LeasedRegistration): Promise<void> =>
      mysql.transaction('activateAccount', async (tx) => {
        const { userId, fileId } = lease
        const now = new Date()
        await hold(tx, lease, { ...cleared, state: 'completed', finishedAt: now }, leaseMs)
        const profileImageUrl = fileId === null ? null : pictureUrlOf(fileId)
        const change = { status: 'active', profileImageUrl, updatedAt: now }
        const isPublished = profileImageUrl !== null
        const row = await changeUser(tx, userId, 'activated', change, { isPublished })
        // The picture is not part of UserRegistered: the next version of the profile follows with it.
        const version = isPublished ? row.version - 1 : row.version
        const user = { ...row, userId, email: row.email ?? '', version }
        await announceUser(tx, outbox, user, { isVerified: false, correlationId: lease.id })
        if (isPublished) await publishUser(tx, outbox, row, lease.id)
      }),

    /** Compensates: frees address and username and erases the account everywhere. @throws LeaseLost */
    fail: (lease: LeasedRegistration, failure: RegistrationFailure, detail: string): Promise<void> =>
      mysql.transaction('failRegistration', async (tx) => {
        const end = { state: 'failed', finishedAt: new Date(), failure }
        await hold(tx, lease, { ...cleared, ...end, failureDetail: detail.slice(0, DETAIL_LENGTH) }, leaseMs)
        await discardReserved(tx, outbox, lease.userId, lease.id)
      }),

    /** Ends the lease; any process continues after `delayMs`. */
    postpone: ({ id, leaseId }: Lease, delayMs: number) =>
      mysql.run('postponeRegistration', (db) =>
        db.registration.updateMany({
          where: { id, leaseId },
          data: { leaseId: null, leasedUntil: new Date(Date.now() + delayMs) },
        }),
      ),

    /** Deletes registrations that ended before `before`. */
    purge: (before: Date) =>
      inBatches(PURGE_BATCH, (limit) =>
        mysql.run(
          'purgeRegistrations',
          // Raw: Prisma has no DELETE with a limit.
          (db) => db.$executeRaw`DELETE FROM registrations WHERE finished_at < ${before} LIMIT ${limit}`,
        ),
      ),
  }
}

/** Changes the row of a leased registration, extends the lease, and locks the row until a transaction ends. */
async function hold(
  db: Pick<Transaction, 'registration'>,
  { id, leaseId }: Lease,
  data: Record<string, unknown>,
  leaseMs: number,
): Promise<void> {
  const { count } = await db.registration.updateMany({
    where: { id, leaseId, state: 'running' },
    data: { leasedUntil: new Date(Date.now() + leaseMs), ...data },
  })
  if (count === 0) throw new LeaseLost()
}

async function readLeased(
  db: Pick<Transaction, 'registration' | 'user'>,
  id: string,
  leaseId: string,
): Promise<LeasedRegistration> {
  const row = await db.registration.findUniqueOrThrow({ where: { id } })
  const { userId, fileId, dueAt, pictureMime, picture, settings } = row
  const { username } = await db.user.findUniqueOrThrow({ where: { id: userId }, select: { username: true } })
  return {
    ...{ id, leaseId, userId, username, fileId, dueAt },
    picture: picture && { mime: pictureMime as PictureMime, bytes: picture },
    preferences: settings === null ? null : (JSON.parse(settings) as NotificationPreferences),
    isPictureDone: row.pictureDoneAt !== null || !row.hasPicture,
    areSettingsDone: row.settingsDoneAt !== null || !row.hasSettings,
  }
}
