import { type UserRole, userUpdated } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import { BatchedReads } from '@bigtech/stores'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'
import { recordActivity } from '../activity/activity-log.ts'
import { searchTermsOf } from '../directory/search-terms.ts'
import { changeUser } from '../history/user-changes.ts'
import type { PresenceVisibility } from '../presence/presence.ts'
import {
  isSame,
  merge,
  type Profile,
  type ProfileChange,
  type Settings,
  type SettingsChange,
} from './profile.ts'

export type ProfileRepository = ReturnType<typeof createProfileRepository>

/** Profile columns by their API names. */
const profileFields = {
  displayName: 'display_name',
  statusMessage: 'status_message',
  profileImageUrl: 'profile_image_url',
  age: 'age',
  phone: 'phone',
} as const
type Field = keyof typeof profileFields
const fieldNames = Object.keys(profileFields) as Field[]
/** Of these nobody is told. */
const privateFields: readonly Field[] = ['age', 'phone']

interface OwnRow {
  readonly id: number
  readonly email: string | null
  readonly emailVerifiedAt: Date | null
  readonly username: string
  readonly displayName: string
  readonly statusMessage: string | null
  readonly profileImageUrl: string | null
  readonly age: number | null
  readonly phone: string | null
  readonly role: string
  readonly locale: string
  readonly presenceVisibility: string
  readonly findableByName: boolean
  readonly findableByEmail: boolean
  readonly createdAt: Date
  readonly version: number
}

/** A row as the connector returns it. */
type StoredRow = Omit<OwnRow, 'findableByName' | 'findableByEmail'> & {
  readonly findableByName: number
  readonly findableByEmail: number
}

const ownColumns = Prisma.sql`id, email, email_verified_at AS emailVerifiedAt, username, display_name AS displayName,
  status_message AS statusMessage, profile_image_url AS profileImageUrl, age, phone, role, locale,
  presence_visibility AS presenceVisibility, findable_by_name AS findableByName,
  findable_by_email AS findableByEmail, created_at AS createdAt, version`

function fromStored(row: StoredRow): OwnRow {
  return { ...row, findableByName: row.findableByName === 1, findableByEmail: row.findableByEmail === 1 }
}

/** Creates the repository of a user's own profile and settings. */
export function createProfileRepository(mysql: Mysql, outbox: Outbox) {
  const own = new BatchedReads(async (userIds): Promise<ReadonlyMap<number, OwnRow>> => {
    const rows = await mysql.read<StoredRow>(
      'findOwn',
      Prisma.sql`SELECT ${ownColumns} FROM users WHERE id IN (${Prisma.join([...userIds])}) AND status = 'active'`,
    )
    return new Map(rows.map((row) => [row.id, fromStored(row)]))
  })
  return {
    find: async (userId: number): Promise<{ profile: Profile; settings: Settings } | null> => {
      const row = await own.get(userId)
      return row ? { profile: toProfile(row), settings: toSettings(row) } : null
    },

    /** The profile as it is afterwards; UserUpdated goes out only if something changed that others see. */
    update: (userId: number, change: ProfileChange, correlationId: string) =>
      mysql.transaction('updateProfile', async (tx): Promise<Profile | null> => {
        const row = await lockOwn(tx, userId)
        if (!row) return null
        const before = toProfile(row)
        const after = merge<Profile>(before, change)
        if (isSame(before, after)) return before
        const { displayName, statusMessage, profileImageUrl, age, phone } = after
        const updated = { displayName, statusMessage, profileImageUrl, age, phone, updatedAt: new Date() }
        await changeUser(tx, userId, 'profile_updated', updated, { isPublished: true })
        if (displayName !== before.displayName) await replaceTerms(tx, after)
        const changed = fieldNames.filter((name) => before[name] !== after[name])
        if (changed.some((name) => !privateFields.includes(name)))
          await publish(tx, outbox, after, { locale: row.locale, version: row.version + 1 }, correlationId)
        const data = { fields: changed.map((name) => profileFields[name]) }
        await recordActivity(tx, { userId, type: 'profile_updated', data })
        return after
      }),

    updateSettings: (userId: number, change: SettingsChange, correlationId: string) =>
      mysql.transaction(
        'updateSettings',
        async (tx): Promise<{ before: Settings; after: Settings } | null> => {
          const row = await lockOwn(tx, userId)
          if (!row) return null
          const before = toSettings(row)
          const after = merge<Settings>(before, change)
          if (isSame(before, after)) return { before, after }
          const { presenceVisibility, findableByName, findableByEmail, locale } = after
          const updatedAt = new Date()
          const updated = { presenceVisibility, findableByName, findableByEmail, locale, updatedAt }
          await changeUser(tx, userId, 'settings_updated', updated, { isPublished: true })
          // The language is for services that write to the user; copies of presence elsewhere must be dropped.
          if (locale !== before.locale || presenceVisibility !== before.presenceVisibility)
            await publish(tx, outbox, toProfile(row), { locale, version: row.version + 1 }, correlationId)
          return { before, after }
        },
      ),

    version: (userId: number) =>
      mysql.run('profileVersion', async (db): Promise<number> => {
        const row = await db.user.findUnique({ where: { id: userId }, select: { version: true } })
        return row?.version ?? 0
      }),
  }
}

/** Locks the user's row, so that events are published in the order of the changes. */
async function lockOwn(tx: Transaction, userId: number): Promise<OwnRow | null> {
  // Raw: Prisma has no FOR UPDATE.
  await tx.$queryRaw`SELECT id FROM users WHERE id = ${userId} FOR UPDATE`
  return tx.user.findFirst({ where: { id: userId, status: 'active' } })
}

async function replaceTerms(tx: Transaction, { userId, username, displayName }: Profile): Promise<void> {
  await tx.userSearchTerm.deleteMany({ where: { userId } })
  const terms = searchTermsOf({ username, displayName })
  await tx.userSearchTerm.createMany({ data: terms.map((term) => ({ term, userId })) })
}

async function publish(
  tx: Transaction,
  outbox: Outbox,
  profile: Profile,
  { locale, version }: { locale: string; version: number },
  correlationId: string,
): Promise<void> {
  const { userId, username, displayName, statusMessage, profileImageUrl } = profile
  const payload = {
    user_id: userId,
    username,
    display_name: displayName,
    status_message: statusMessage,
    profile_image_url: profileImageUrl,
    locale,
    profile_version: version,
  }
  await outbox.enqueue(tx, userUpdated, payload, { correlationId })
}

function toProfile(row: OwnRow): Profile {
  return {
    userId: row.id,
    email: row.email ?? '',
    emailVerified: row.emailVerifiedAt !== null,
    username: row.username,
    displayName: row.displayName,
    statusMessage: row.statusMessage,
    profileImageUrl: row.profileImageUrl,
    age: row.age,
    phone: row.phone,
    role: row.role as UserRole,
    createdAt: row.createdAt,
  }
}

function toSettings(row: OwnRow): Settings {
  return {
    presenceVisibility: row.presenceVisibility as PresenceVisibility,
    findableByName: row.findableByName,
    findableByEmail: row.findableByEmail,
    locale: row.locale,
  }
}
