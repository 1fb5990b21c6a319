import { type UserRole, userLoggedIn } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import { inBatches } from '@bigtech/stores'
import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'
import { canSignIn } from '../account/account.ts'
import { createLink } from '../account/account-links.ts'
import { recordActivity } from '../activity/activity-log.ts'
import { cancelDeletion } from '../deletion/deletion-cancellation.ts'
import { appendUserEvent } from '../history/user-changes.ts'
import { MAX_SESSIONS, type Session, type SessionView } from './session.ts'
import type { EndRequest, SessionEnder } from './session-ender.ts'

export type SessionRepository = ReturnType<typeof createSessionRepository>

export interface NewSession {
  readonly id: string
  readonly userId: number
  readonly device: string
  readonly ipPrefix: string
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly familyKey: Uint8Array<ArrayBuffer>
  readonly currentHash: Uint8Array<ArrayBuffer>
}

export interface Suspension {
  readonly until: Date
  readonly message: string | null
}

interface Opened {
  readonly role: UserRole
  /** Set when nothing was stored because the account is suspended. */
  readonly suspension: Suspension | null
  /** The sign-in cancelled a scheduled deletion. */
  readonly deletionCancelled: boolean
  /** Sessions ended because of the limit per user. */
  readonly surplus: string[]
}

/** The proof of a user who signs in. */
export interface SignInProof {
  /** The compared password hash, if a password was used. */
  readonly checkedHash?: string | undefined
  /** Two factors, or a passkey. */
  readonly isStrong: boolean
  /** A new device: the owner gets a mail, except for the first sign-in. */
  readonly mailIfNotFirst: boolean
  /** Uses up one-time proofs in the same transaction. An error rolls the sign-in back. */
  readonly within?: (tx: Transaction) => Promise<void>
}

export interface Rotation {
  readonly sessionId: string
  readonly from: Uint8Array<ArrayBuffer>
  readonly to: Uint8Array<ArrayBuffer>
  readonly sealedSuccessor: Uint8Array<ArrayBuffer>
  readonly now: Date
  readonly expiresAt: Date
  readonly ipPrefix: string
}

interface LoginRow {
  readonly email: string | null
  readonly login_count: number
  readonly needs_code: number | bigint
  /** Null for a user who signed up with an identity provider and has no password. */
  readonly password_hash: string | null
  readonly status: string
  readonly role: UserRole
  readonly suspended_until: Date | null
  readonly message: string | null
}

const PURGE_BATCH = 1_000

/** Creates the repository of sessions, which are families of refresh tokens. */
export function createSessionRepository(mysql: Mysql, outbox: Outbox, ender: SessionEnder) {
  return {
    /**
     * Stores a session and UserLoggedIn if the proof still holds. Returns the user's role and the sessions
     * ended by the limit, or null when the password has changed, an app was turned on, or the account was
     * closed in the meantime.
     */
    create: (session: NewSession, proof: SignInProof, correlationId: string): Promise<Opened | null> =>
      mysql
        .transaction('createSession', async (tx) => {
          const { userId, createdAt } = session
          // First, because signing in and changing the account lock the user's row in the same order.
          await tx.$executeRaw`UPDATE users SET login_count = login_count + 1, last_login_at = ${createdAt} WHERE id = ${userId}`
          await proof.within?.(tx)
          const account = await lockAccount(tx, userId)
          if (!account || !stillHolds(account, proof)) throw new SignInRefused(null)
          const { role, suspension } = account
          if (suspension && suspension.until > createdAt) {
            throw new SignInRefused({ role, suspension, surplus: [], deletionCancelled: false })
          }
          const signedIn = { loginCount: Number(account.login_count), lastLoginAt: createdAt }
          await appendUserEvent(tx, userId, 'signed_in', signedIn)
          const deletionCancelled = account.status === 'leaving'
          if (deletionCancelled) await cancelDeletion(tx, userId)
          // Raw here and in `rotate`: every sign-in and refresh; a third of the CPU time of Prisma's call.
          await tx.$executeRaw`INSERT INTO sessions
          (id, user_id, device, ip_prefix, created_at, last_seen_at, expires_at, family_key, current_hash, rotated_at)
          VALUES (${session.id}, ${userId}, ${session.device}, ${session.ipPrefix}, ${createdAt},
            ${createdAt}, ${session.expiresAt}, ${session.familyKey}, ${session.currentHash}, ${createdAt})`
          await outbox.enqueue(
            tx,
            userLoggedIn,
            { user_id: userId, session_id: session.id },
            { correlationId },
          )
          if (proof.mailIfNotFirst && account.login_count > 1 && account.email) {
            const link = {
              userId,
              purpose: 'end_session',
              email: account.email,
              sessionId: session.id,
            } as const
            await createLink(tx, outbox, link, correlationId)
          }
          const { device, ipPrefix } = session
          const data = { session_id: session.id }
          await recordActivity(tx, { userId, type: 'signed_in', data, device, ipPrefix })
          if (deletionCancelled)
            await recordActivity(tx, { userId, type: 'deletion_cancelled', device, ipPrefix })
          const surplus = await makeRoom(tx, ender, userId, correlationId)
          return { role, suspension: null, surplus, deletionCancelled }
        })
        .catch((err: unknown) => {
          if (err instanceof SignInRefused) return err.outcome
          throw err
        }),

    find: (id: string) =>
      mysql.run('findSession', async (db): Promise<Session | null> => {
        const row = await db.session.findUnique({
          where: { id },
          include: { user: { select: { username: true, role: true, status: true } } },
        })
        if (!row) return null
        return {
          id: row.id,
          userId: row.userId,
          username: row.user.username,
          role: row.user.role as UserRole,
          userActive: row.user.status === 'active',
          createdAt: row.createdAt,
          expiresAt: row.expiresAt,
          endedAt: row.endedAt,
          familyKey: row.familyKey,
          currentHash: row.currentHash,
          previousHash: row.previousHash,
          sealedSuccessor: row.sealedSuccessor,
        }
      }),

    /** Replaces the token. Returns false when another refresh, or the end of the session, was first. */
    rotate: ({ sessionId, from, to, sealedSuccessor, now, expiresAt, ipPrefix }: Rotation) =>
      mysql.run('rotateSession', async (db): Promise<boolean> => {
        const changed = await db.$executeRaw`UPDATE sessions
          SET current_hash = ${to}, previous_hash = ${from}, sealed_successor = ${sealedSuccessor},
            rotated_at = ${now}, last_seen_at = ${now}, expires_at = ${expiresAt}, ip_prefix = ${ipPrefix}
          WHERE id = ${sessionId} AND current_hash = ${from} AND ended_at IS NULL`
        return changed === 1
      }),

    hasBeenIn: (userId: number, ipPrefix: string) =>
      mysql.run('hasBeenIn', async (db): Promise<boolean> => {
        const row = await db.session.findFirst({ where: { userId, ipPrefix }, select: { id: true } })
        return row !== null
      }),

    /** Returns sessions newest first, one more than `limit`. */
    list: (userId: number, limit: number, after?: { createdAt: Date; id: string }) =>
      mysql.run('listSessions', async (db): Promise<SessionView[]> => {
        const rows = await db.session.findMany({
          where: {
            userId,
            endedAt: null,
            expiresAt: { gt: new Date() },
            ...(after
              ? {
                  OR: [
                    { createdAt: { lt: after.createdAt } },
                    { createdAt: after.createdAt, id: { lt: after.id } },
                  ],
                }
              : {}),
          },
          orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
          take: limit + 1,
          select: {
            id: true,
            device: true,
            ipPrefix: true,
            createdAt: true,
            lastSeenAt: true,
            expiresAt: true,
          },
        })
        return rows
      }),

    end: (request: EndRequest): Promise<string[]> =>
      mysql.transaction('endSessions', (tx) => ender.endIn(tx, request)),

    /** Deletes sessions that ended long ago. Raw: Prisma's deleteMany has no LIMIT. */
    purge: (endedBefore: Date) =>
      inBatches(PURGE_BATCH, (limit) =>
        mysql.run(
          'purgeSessions',
          (db) => db.$executeRaw`DELETE FROM sessions WHERE expires_at < ${endedBefore} LIMIT ${limit}`,
        ),
      ),
  }
}

/** Rolls a sign-in back: its proof is outdated (null), or the account is suspended. */
class SignInRefused extends Error {
  readonly outcome: Opened | null

  constructor(outcome: Opened | null) {
    super('sign-in refused')
    this.outcome = outcome
  }
}

/**
 * Locks the account for reading. Raw. A change of password, role or suspension waits for this transaction, or
 * is visible to it.
 */
async function lockAccount(tx: Transaction, userId: number) {
  const [row] = await tx.$queryRaw<LoginRow[]>`
    SELECT u.email, u.status, u.role, u.login_count, c.password_hash, c.totp_enabled_at IS NOT NULL AS needs_code,
      r.suspended_until, r.message
    FROM users u LEFT JOIN credentials c ON c.user_id = u.id LEFT JOIN user_restrictions r ON r.user_id = u.id
    WHERE u.id = ${userId} LOCK IN SHARE MODE`
  if (!row) return undefined
  const { suspended_until: until, message, ...account } = row
  return { ...account, suspension: until && { until, message } }
}

function stillHolds(
  account: Pick<LoginRow, 'status' | 'password_hash' | 'needs_code'>,
  { checkedHash, isStrong }: SignInProof,
): boolean {
  if (!canSignIn(account.status)) return false
  if (checkedHash !== undefined && account.password_hash !== checkedHash) return false
  return isStrong || Number(account.needs_code) === 0
}

async function makeRoom(
  tx: Transaction,
  ender: SessionEnder,
  userId: number,
  correlationId: string,
): Promise<string[]> {
  const surplus = await tx.session.findMany({
    where: { userId, endedAt: null },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    skip: MAX_SESSIONS,
    take: 10,
    select: { id: true },
  })
  const ended: string[] = []
  for (const { id } of surplus) {
    ended.push(...(await ender.endIn(tx, { userId, only: id, reason: 'revoked', correlationId })))
  }
  return ended
}
