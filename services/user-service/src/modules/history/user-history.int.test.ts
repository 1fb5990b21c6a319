import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createOutbox } from '@bigtech/outbox'
import { createTestMysql, type TestMysql, uniqueName } from '@bigtech/testkit'
import fc from 'fast-check'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMysql, type Mysql } from '../../infrastructure/mysql.ts'
import { createAccountRepository } from '../account/account.repository.ts'
import { createIdentityRepository } from '../account/identity.repository.ts'
import { createRecoveryRepository } from '../account/recovery.repository.ts'
import { createUsernameRepository } from '../account/username.repository.ts'
import { createDeletionRepository } from '../deletion/deletion.repository.ts'
import { createProfileRepository } from '../profile/profile.repository.ts'
import { setRole } from '../session/roles.ts'
import { createSessionRepository } from '../session/session.repository.ts'
import { endSessionsIn, type SessionEnder } from '../session/session-ender.ts'
import { replayUsers } from './replay.ts'

const CONNECTIONS = 10
const MIGRATIONS = join(import.meta.dirname, '../../../migrations')
const MIGRATION = join(MIGRATIONS, '0072_user_events.sql')
let database: TestMysql
let mysql: Mysql
const outbox = createOutbox('user-service')
const ender: SessionEnder = {
  endIn: (tx, request) => endSessionsIn(tx, outbox, request),
  committed: async () => {},
}

beforeAll(async () => {
  database = await createTestMysql({ migrationsDir: MIGRATIONS })
  mysql = createMysql(database.url, new Registry(), CONNECTIONS)
})
afterAll(async () => {
  await mysql.close()
  await database.drop()
})

const differing = () => replayUsers(mysql, outbox, { repair: 'none' })
const correlationId = 'test'

interface Subject {
  readonly userId: number
  readonly email: string
}

async function register(fields: { displayName?: string } = {}): Promise<Subject> {
  const username = uniqueName('h')
  const email = `${username}@example.com`
  const account = {
    email,
    username,
    displayName: username,
    locale: 'ko',
    passwordHash: 'x'.repeat(60),
    ...fields,
  }
  const { userId } = await createAccountRepository(mysql, outbox).create(account, correlationId)
  return { userId, email }
}

/** The token of a link is signed over its id; here the id is enough. */
async function newestLink({ userId }: Subject, purpose: string): Promise<string> {
  const link = await mysql.run('link', (db) =>
    db.accountLink.findFirst({ where: { userId, purpose, usedAt: null }, orderBy: { createdAt: 'desc' } }),
  )
  return link?.id ?? crypto.randomUUID()
}

function signIn({ userId }: Subject) {
  const bytes = () => new Uint8Array(crypto.getRandomValues(new Uint8Array(32)))
  const at = new Date()
  const session = {
    ...{ id: crypto.randomUUID(), userId, device: 'test', ipPrefix: '203.0.113.0/24' },
    ...{
      createdAt: at,
      expiresAt: new Date(at.getTime() + 60_000),
      familyKey: bytes(),
      currentHash: bytes(),
    },
  }
  const proof = { isStrong: true, mailIfNotFirst: false }
  return createSessionRepository(mysql, outbox, ender).create(session, proof, correlationId)
}

const steps: Readonly<Record<string, (subject: Subject, text: string) => Promise<unknown>>> = {
  signIn,
  changeProfile: ({ userId }, text) =>
    createProfileRepository(mysql, outbox).update(
      userId,
      { displayName: text || 'x', statusMessage: text || null, age: text.length, phone: '+821012345678' },
      correlationId,
    ),
  changeSettings: ({ userId }, text) =>
    createProfileRepository(mysql, outbox).updateSettings(
      userId,
      { findableByName: text.length % 2 === 0, findableByEmail: text.length % 3 === 0, locale: 'en' },
      correlationId,
    ),
  changeUsername: ({ userId }) =>
    createUsernameRepository(mysql, outbox).change(userId, uniqueName('n'), correlationId),
  verifyEmail: async (subject) =>
    recovery().confirmEmail(await newestLink(subject, 'verify_email'), correlationId),
  changeEmail: async (subject) => {
    await recovery().requestEmailChange(subject.userId, `${uniqueName('e')}@example.com`, correlationId)
    await recovery().confirmEmail(await newestLink(subject, 'change_email'), correlationId)
  },
  undoEmail: async (subject) =>
    recovery().undoEmailChange(await newestLink(subject, 'undo_email'), correlationId),
  resetPassword: async (subject) => {
    await recovery().requestReset(subject.email, correlationId)
    await recovery().resetPassword(await newestLink(subject, 'reset_password'), 'y'.repeat(60), correlationId)
  },
  linkIdentity: ({ userId, email }) =>
    createIdentityRepository(mysql).link({ userId, email }, { provider: 'google', subject: uniqueName('g') }),
  changeRole: ({ email }) => setRole(mysql, outbox, email, 'moderator'),
  leave: (subject) => remove(subject, 60_000),
  delete: async (subject) => {
    const id = await remove(subject, 0)
    await deletions().eraseProfile({ id, userId: subject.userId })
  },
}

const recovery = () => createRecoveryRepository(mysql, outbox, ender)
const deletions = () => createDeletionRepository(mysql, outbox, ender)

async function remove({ userId }: Subject, graceMs: number): Promise<string> {
  const id = crypto.randomUUID()
  const hash = await mysql.run('hash', (db) => db.credential.findUnique({ where: { userId } }))
  const checkedHash = hash?.passwordHash ?? null
  await deletions().begin({ ...{ id, userId, checkedHash, graceMs, correlationId }, messagePolicy: 'keep' })
  return id
}

/** Users as they were before there was a history, with the snapshots that the migration gives them. */
async function usersFromBefore(count: number): Promise<Subject[]> {
  await database.query(
    `INSERT INTO users (email, username, username_key, display_name, locale, status_message, findable_by_email, role,
       created_at, updated_at, email_verified_at)
     WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
     SELECT CONCAT('before', n, '@example.com'), CONCAT('before', n), CONCAT('before', n), '김민지 "😀"', 'ko',
       IF(n % 2, 'a\\nb', NULL), n % 2, 'user', '2026-01-27 10:00:00.123', NOW(3), IF(n % 3, NOW(3), NULL) FROM numbers`,
    [count],
  )
  const rows = await database.query<{ id: number; email: string }>(
    "SELECT id, email FROM users WHERE username LIKE 'before%'",
  )
  await database.query(
    "INSERT INTO credentials (user_id, password_hash, changed_at) SELECT id, REPEAT('x', 60), NOW(3) FROM users WHERE username LIKE 'before%'",
  )
  const [, snapshots] = /^(INSERT INTO user_events.*?);/ms.exec(readFileSync(MIGRATION, 'utf8')) ?? []
  await database.query(snapshots!)
  return rows.map(({ id: userId, email }) => ({ userId, email }))
}

async function live(subject: Subject, history: readonly (readonly [string, string])[]): Promise<void> {
  for (const [name, text] of history) await steps[name]!(subject, text)
}

describe('the history of a user', () => {
  it("replaying a user's history reproduces the row, for 1,000 random histories", async () => {
    const subjects = await usersFromBefore(1_000)
    expect(await differing()).toEqual([])
    const step = fc.tuple(
      fc.constantFrom(...Object.keys(steps).filter((name) => name !== 'delete')),
      fc.string({ maxLength: 20, unit: 'grapheme' }),
    )
    // One in five is deleted in the end.
    const last = fc.constantFrom(true, false, false, false, false)
    const history = fc
      .tuple(fc.array(step, { minLength: 1, maxLength: 3 }), last)
      .map(([some, isDeleted]) => (isDeleted ? [...some, ['delete', ''] as const] : some))
    const seed = Date.now()
    const waiting = fc.sample(history, { numRuns: subjects.length, seed }).entries()
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        for (const [index, steps] of waiting) await live(subjects[index]!, steps)
      }),
    )
    expect(await differing(), `fast-check seed ${seed}`).toEqual([])
  }, 300_000)

  it('the history of a user created before histories existed begins with a snapshot', async () => {
    const { userId } = await register()
    await database.query('DELETE FROM user_events WHERE user_id = ?', [userId])
    expect(await differing()).toEqual([
      { subject: `user ${userId}`, detail: 'there is no history', isFixed: false },
    ])
    await replayUsers(mysql, outbox, { repair: 'snapshot' })
    expect(await differing()).toEqual([])
  })
})

describe('a replay', () => {
  it('a replay reports differences and changes nothing without --apply', async () => {
    const { userId } = await register({ displayName: '김민지' })
    await database.query("UPDATE users SET display_name = 'broken', age = 7 WHERE id = ?", [userId])
    const detail = 'displayName is "broken", by its history "김민지"; age is 7, by its history null'
    expect(await differing()).toEqual([{ subject: `user ${userId}`, detail, isFixed: false }])
    expect(await replayUsers(mysql, outbox, { userId, repair: 'rebuild' })).toMatchObject([{ isFixed: true }])
    expect(await differing()).toEqual([])
    const [row] = await database.query<{ version: number }>('SELECT * FROM users WHERE id = ?', [userId])
    expect(row).toMatchObject({ display_name: '김민지', age: null, version: 2 })
    const [event] = await database.query<{ payload: string }>(
      "SELECT payload FROM outbox WHERE msg_key = ? AND event_type = 'UserUpdated'",
      [String(userId)],
    )
    expect(JSON.parse(event!.payload)).toMatchObject({ display_name: '김민지', profile_version: 2 })
  })

  it('a replay recreates a lost row, which is found by its name again', async () => {
    const { userId } = await register({ displayName: '뷁쀍' })
    for (const table of ['credentials', 'user_search_terms'])
      await database.query(`DELETE FROM ${table} WHERE user_id = ?`, [userId])
    await database.query('DELETE FROM users WHERE id = ?', [userId])
    expect(await replayUsers(mysql, outbox, { repair: 'rebuild' })).toMatchObject([
      { subject: `user ${userId}`, detail: 'the row is missing', isFixed: true },
    ])
    expect(await differing()).toEqual([])
    const terms = await database.query('SELECT 1 FROM user_search_terms WHERE user_id = ?', [userId])
    expect(terms.length).toBeGreaterThan(0)
  })

  it('a replay reports a row that cannot be rebuilt because another account now has its address', async () => {
    const [first, second] = [await register(), await register()]
    await database.query('UPDATE users SET email = NULL WHERE id = ?', [first.userId])
    await database.query('UPDATE users SET email = ? WHERE id = ?', [first.email, second.userId])
    const [finding] = await replayUsers(mysql, outbox, { userId: first.userId, repair: 'rebuild' })
    const detail = 'not rebuilt: another account has its email by now'
    expect(finding).toEqual({ subject: `user ${first.userId}`, detail, isFixed: false })
    await replayUsers(mysql, outbox, { repair: 'snapshot' })
  })
})

it('the history contains no secret, and only the erased row of a deleted user', async () => {
  const subject = await register({ displayName: '비밀스러운 이름' })
  await steps.resetPassword!(subject, '')
  const events = () =>
    database.query('SELECT type, data FROM user_events WHERE user_id = ?', [subject.userId])
  expect(JSON.stringify(await events())).not.toMatch(/xxxx|yyyy|password_?hash/i)
  await steps.delete!(subject, '')
  expect(await events()).toHaveLength(1)
  expect(JSON.stringify(await events())).not.toMatch(/비밀스러운|@example/)
  expect(await differing()).toEqual([])
})
