import { userUpdated } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import { inBatches } from '@bigtech/stores'
import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'
import { recordActivity } from '../activity/activity-log.ts'
import { changeUser } from '../history/user-changes.ts'
import { isKnownDevice } from '../session/device.ts'
import type { SessionEnder } from '../session/session-ender.ts'
import { AlreadyTaken, takenBy } from './account.errors.ts'
import { type AccountLink, createLink, type LinkPurpose, useLink } from './account-links.ts'

export type RecoveryRepository = ReturnType<typeof createRecoveryRepository>

/** A link with the data for its mail. */
export interface IssuableLink extends AccountLink {
  readonly locale: string
  readonly signIn: SignIn | null
}

/** The known details of the sign-in that a mail is about. */
export interface SignIn {
  /** Null when the client described itself in free text, which must not appear in a mail. */
  readonly device: string | null
  readonly ipPrefix: string
  readonly at: Date
}

export interface Recovered {
  readonly userId: number
  readonly endedSessions: readonly string[]
}

const PURGE_BATCH = 1_000
/** A user who wants to cancel a deletion may have lost the password. */
const purposesWhileLeaving: readonly LinkPurpose[] = ['reset_password']

/** Creates the repository of addresses, password resets, and the one-time links that prove ownership of an address. */
export function createRecoveryRepository(mysql: Mysql, outbox: Outbox, ender: SessionEnder) {
  const request = (
    operation: string,
    where: { id: number } | { email: string },
    link: { readonly purpose: LinkPurpose; readonly email?: string; readonly unverifiedOnly?: boolean },
    correlationId: string,
  ) =>
    mysql.transaction(operation, async (tx): Promise<boolean> => {
      const user = await tx.user.findFirst({
        where: {
          ...where,
          status: { in: purposesWhileLeaving.includes(link.purpose) ? ['active', 'leaving'] : ['active'] },
        },
        select: { id: true, email: true, emailVerifiedAt: true },
      })
      if (!user?.email || (link.unverifiedOnly && user.emailVerifiedAt)) return false
      const { purpose, email = user.email } = link
      await createLink(tx, outbox, { userId: user.id, purpose, email }, correlationId)
      return true
    })

  return {
    /** Requests a verification mail. Returns false when there is nothing to verify. */
    requestVerification: (userId: number, correlationId: string) =>
      request(
        'requestVerification',
        { id: userId },
        { purpose: 'verify_email', unverifiedOnly: true },
        correlationId,
      ),

    requestEmailChange: (userId: number, email: string, correlationId: string) =>
      request('requestEmailChange', { id: userId }, { purpose: 'change_email', email }, correlationId),

    /** Requests a password reset. Returns false for an unknown address. */
    requestReset: (email: string, correlationId: string) =>
      request('requestReset', { email }, { purpose: 'reset_password' }, correlationId),

    findIssuable: (id: string) =>
      mysql.run('findLink', async (db): Promise<IssuableLink | null> => {
        const link = await db.accountLink.findFirst({
          where: { id, usedAt: null, expiresAt: { gt: new Date() } },
        })
        if (!link) return null
        const user = await db.user.findFirst({
          where: { id: link.userId, status: { in: ['active', 'leaving'] } },
          select: { locale: true },
        })
        if (!user) return null
        const session =
          link.sessionId === null
            ? null
            : await db.session.findUnique({
                where: { id: link.sessionId },
                select: { device: true, ipPrefix: true, createdAt: true },
              })
        const signIn = session && {
          device: isKnownDevice(session.device) ? session.device : null,
          ipPrefix: session.ipPrefix,
          at: session.createdAt,
        }
        return { ...link, purpose: link.purpose as LinkPurpose, locale: user.locale, signIn }
      }),

    isUsable: (id: string, purpose: LinkPurpose) =>
      mysql.run(
        'isLinkUsable',
        async (db): Promise<{ userId: number } | null> =>
          db.accountLink.findFirst({
            where: { id, purpose, usedAt: null, expiresAt: { gt: new Date() } },
            select: { userId: true },
          }),
      ),

    /** Completes a verification or change of address. Null for an invalid link. @throws AlreadyTaken */
    confirmEmail: (id: string, correlationId: string) =>
      mysql
        .transaction('confirmEmail', async (tx): Promise<number | null> => {
          const link = await useLink(tx, id, ['verify_email', 'change_email'])
          const user = link && (await lockActive(tx, link.userId))
          if (!link || !user) return null
          if (link.purpose === 'verify_email') {
            if (user.email !== link.email) return null
            await changeUser(tx, user.id, 'email_verified', { emailVerifiedAt: new Date() })
            await recordActivity(tx, { userId: user.id, type: 'email_verified' })
            return user.id
          }
          if (user.email === link.email) return user.id
          await setEmail(tx, outbox, user.id, link.email, correlationId)
          // Another account may have taken this address recently, which an undo link still protects.
          if (await isHeldBack(tx, link.email, user.id)) throw new AlreadyTaken('email')
          const old = { userId: user.id, purpose: 'undo_email', email: user.email ?? '' } as const
          await createLink(tx, outbox, old, correlationId)
          await recordActivity(tx, { userId: user.id, type: 'email_changed' })
          return user.id
        })
        .catch((err: unknown) => {
          throw takenBy(err) ?? err
        }),

    /** Restores the old address of an account: ends every session and invalidates all other links. */
    undoEmailChange: (id: string, correlationId: string) =>
      mysql.transaction('undoEmailChange', async (tx): Promise<Recovered | null> => {
        const link = await useLink(tx, id, ['undo_email'])
        const user = link && (await lockActive(tx, link.userId))
        if (!link || !user) return null
        await setEmail(tx, outbox, user.id, link.email, correlationId)
        await tx.accountLink.deleteMany({ where: { userId: user.id, usedAt: null } })
        await recordActivity(tx, { userId: user.id, type: 'email_change_undone' })
        const request = { userId: user.id, reason: 'email_change_undone', correlationId } as const
        return { userId: user.id, endedSessions: await ender.endIn(tx, request) }
      }),

    /**
     * Ends the session, clears the known devices, and sends a password reset link, because another
     * person knows the password. Null for an invalid link.
     */
    endReportedSession: (id: string, correlationId: string) =>
      mysql.transaction('endReportedSession', async (tx): Promise<Recovered | null> => {
        const link = await useLink(tx, id, ['end_session'])
        const user = link && (await lockActive(tx, link.userId))
        if (!link?.sessionId || !user?.email) return null
        await changeUser(tx, user.id, 'devices_forgotten', { devicesTrustedFrom: new Date() })
        const reset = { userId: user.id, purpose: 'reset_password', email: user.email } as const
        await createLink(tx, outbox, reset, correlationId)
        const request = { userId: user.id, only: link.sessionId, reason: 'revoked', correlationId } as const
        return { userId: user.id, endedSessions: await ender.endIn(tx, request) }
      }),

    /** Sets a new password. Null for an invalid link. Also verifies the address, because its mail was read. */
    resetPassword: (id: string, passwordHash: string, correlationId: string) =>
      mysql.transaction('resetPassword', async (tx): Promise<Recovered | null> => {
        const link = await useLink(tx, id, ['reset_password'])
        const user = link && (await lockActive(tx, link.userId))
        if (!link || !user || user.email !== link.email) return null
        const now = new Date()
        // A user who signed up with Google has no credential yet.
        await tx.credential.upsert({
          where: { userId: user.id },
          create: { userId: user.id, passwordHash, changedAt: now },
          update: { passwordHash, changedAt: now },
          select: { userId: true },
        })
        const proved = { emailVerifiedAt: now, devicesTrustedFrom: now }
        await changeUser(tx, user.id, 'password_reset', proved)
        await recordActivity(tx, { userId: user.id, type: 'password_reset' })
        const request = { userId: user.id, reason: 'password_changed', correlationId } as const
        return { userId: user.id, endedSessions: await ender.endIn(tx, request) }
      }),

    /** Deletes expired links. Raw: Prisma's deleteMany has no LIMIT. */
    purge: (before: Date) =>
      inBatches(PURGE_BATCH, (limit) =>
        mysql.run(
          'purgeLinks',
          (db) => db.$executeRaw`DELETE FROM account_links WHERE expires_at < ${before} LIMIT ${limit}`,
        ),
      ),
  }
}

/** Returns whether another user may still restore this address. Call after writing it, in the same transaction. */
export async function isHeldBack(tx: Transaction, email: string, userId: number): Promise<boolean> {
  const link = await tx.accountLink.findFirst({
    where: {
      email,
      purpose: 'undo_email',
      usedAt: null,
      expiresAt: { gt: new Date() },
      userId: { not: userId },
    },
    select: { id: true },
  })
  return link !== null
}

async function lockActive(tx: Transaction, userId: number) {
  // Raw: Prisma has no FOR UPDATE.
  await tx.$queryRaw`SELECT id FROM users WHERE id = ${userId} FOR UPDATE`
  return tx.user.findFirst({ where: { id: userId, status: { in: ['active', 'leaving'] } } })
}

async function setEmail(
  tx: Transaction,
  outbox: Outbox,
  userId: number,
  email: string,
  correlationId: string,
): Promise<void> {
  const now = new Date()
  const change = { email, emailVerifiedAt: now, updatedAt: now }
  const user = await changeUser(tx, userId, 'email_changed', change, { isPublished: true })
  const payload = {
    user_id: userId,
    username: user.username,
    display_name: user.displayName,
    status_message: user.statusMessage,
    profile_image_url: user.profileImageUrl,
    email,
    locale: user.locale,
    profile_version: user.version,
  }
  await outbox.enqueue(tx, userUpdated, payload, { correlationId })
}
