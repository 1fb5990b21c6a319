import { type UserRole, uuidv7 } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import type { Mysql } from '../../infrastructure/mysql.ts'
import { readIdentifier } from '../account/account.ts'
import { changeUser } from '../history/user-changes.ts'
import { endSessionsIn } from './session-ender.ts'

/** Returns the username and role of an active account. @param identifier email address or username */
export function findRole(
  mysql: Mysql,
  identifier: string,
): Promise<{ readonly username: string; readonly role: UserRole } | null> {
  return mysql.run('findRole', async (db) => {
    const user = await db.user.findUnique({
      where: readIdentifier(identifier),
      select: { username: true, role: true, status: true },
    })
    return user?.status === 'active' ? { username: user.username, role: user.role as UserRole } : null
  })
}

interface RoleChange {
  readonly userId: number
  readonly username: string
  readonly from: UserRole
  readonly endedSessions: number
}

/**
 * Sets a user's role and ends their sessions, because an access token contains the role at the time of
 * signing. Changes nothing when the user already has the role.
 *
 * @param identifier email address or username
 * @returns null when there is no active account
 */
export function setRole(
  mysql: Mysql,
  outbox: Outbox,
  identifier: string,
  role: UserRole,
): Promise<RoleChange | null> {
  return mysql.transaction('setRole', async (tx) => {
    const found = await tx.user.findUnique({ where: readIdentifier(identifier), select: { id: true } })
    // Raw: Prisma has no FOR UPDATE. A sign-in in flight waits for this transaction, or its session is ended.
    await tx.$queryRaw`SELECT id FROM users WHERE id = ${found?.id ?? 0} FOR UPDATE`
    const user = found && (await tx.user.findUnique({ where: found }))
    if (user?.status !== 'active') return null
    const { id: userId, username } = user
    const from = user.role as UserRole
    if (from === role) return { userId, username, from, endedSessions: 0 }
    await changeUser(tx, userId, 'role_changed', { role })
    const ended = await endSessionsIn(tx, outbox, { userId, reason: 'revoked', correlationId: uuidv7() })
    return { userId, username, from, endedSessions: ended.length }
  })
}
