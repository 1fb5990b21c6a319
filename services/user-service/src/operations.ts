import { uuidv7 } from '@bigtech/contracts'
import {
  type AuthenticatedContext,
  buildService,
  CommandError,
  commandLogDestination,
  loadConfig,
  type OpenOperations,
  type Service,
  type UserOperations,
  untilReachable,
} from '@bigtech/service-kit'
import { configSchema } from './config.ts'
import { readSigningKeys, type SigningKeys } from './infrastructure/signing-keys.ts'
import { type DataStores, openDataStores } from './infrastructure/stores.ts'
import { createDeletionRepository } from './modules/deletion/deletion.repository.ts'
import { createDeletionService } from './modules/deletion/deletion.service.ts'
import { relationCopies } from './modules/directory/relations.copies.ts'
import { createPartReader, streamArchive } from './modules/export/export-parts.ts'
import { createOwnDataRepository } from './modules/export/own-data.repository.ts'
import { replayUsers } from './modules/history/replay.ts'
import { ownedUsers, republishUsers } from './modules/profile/owned-users.ts'
import { exportedProfile } from './modules/profile/profile.module.ts'
import { createProfileRepository } from './modules/profile/profile.repository.ts'
import { findRole, setRole } from './modules/session/roles.ts'
import { createSessionRepository } from './modules/session/session.repository.ts'
import { ACCESS_TOKEN_SECONDS } from './modules/session/session.ts'
import { createSessionEnder } from './modules/session/session-ender.ts'
import { createTokens } from './modules/session/tokens.ts'

interface Opened {
  readonly service: Service
  readonly stores: DataStores
  readonly keys: SigningKeys
}

/** Opens the operators' operations of user-service. The running service publishes the stored events. */
export const openOperations: OpenOperations = async (env) => {
  const config = loadConfig(configSchema, { ...env, LOG_LEVEL: 'warn' })
  const keys = await readSigningKeys(config.JWT_PRIVATE_KEY_FILE)
  const service = await buildService({
    name: 'user-service',
    title: 'User Service',
    description: '',
    config,
    keys: keys.verifyKeys,
    signing: { ...keys.signer, expiresInSeconds: ACCESS_TOKEN_SECONDS },
    logDestination: commandLogDestination,
  })
  const stores = await openDataStores(service, config)
  const { mysql, outbox } = stores
  // A statement, not a ping: the first one also opens the pool, and a command may be patient with both.
  await untilReachable(() => mysql.run('operatorConnect', (db) => db.$queryRaw`SELECT 1`))
  return {
    owned: () => ownedUsers(mysql),
    copies: relationCopies(mysql),
    republish: ({ raiseVersions }) =>
      republishUsers(mysql, outbox, { raiseVersions, correlationId: uuidv7() }),
    users: userOperations({ service, stores, keys }),
    close: () => service.stop(),
  }
}

function userOperations(opened: Opened): UserOperations {
  const { service, stores } = opened
  const { mysql, outbox } = stores
  const ender = createSessionEnder({
    outbox,
    revocations: service.revocations,
    wakeRelay: () => {},
    // Presence ends with the streams, which close when the revocation arrives.
    onEnded: async () => {},
    metrics: service.metrics,
  })
  const sessions = createSessionRepository(mysql, outbox, ender)
  return {
    sessions: async (userId) =>
      (await sessions.list(userId, 1_000)).map(({ id, device, ipPrefix, createdAt, lastSeenAt }) => ({
        id,
        device,
        ip_prefix: ipPrefix,
        created_at: createdAt.toISOString(),
        last_seen_at: lastSeenAt.toISOString(),
      })),
    revoke: async (userId, sessionId) => {
      const which = sessionId === undefined ? {} : { only: sessionId }
      const ended = await sessions.end({ userId, ...which, reason: 'revoked', correlationId: uuidv7() })
      await ender.committed(userId, ended, 'revoked')
      return ended.length
    },
    role: (identifier) => findRole(mysql, identifier),
    setRole: async (identifier, role) =>
      (await setRole(mysql, outbox, identifier, role))?.endedSessions ?? null,
    replay: (options) => replayUsers(mysql, outbox, options),
    exportData: (userId) => exportData(opened, userId),
    erase: async (userId, messagePolicy) => {
      const deletions = createDeletionService({
        deletions: createDeletionRepository(mysql, outbox, ender),
        sessions: ender,
        // The current hash replaces the password, which an operator does not know.
        graceMs: 0,
        confirmIdentity: () => passwordHashOf(stores, userId),
        // The running service performs its own step within seconds, including Redis.
        forgetInRedis: async () => {},
        wakeRelay: () => {},
      })
      const ctx = await contextOf(opened, userId)
      return (await deletions.deleteMyAccount(ctx, { password: '', messagePolicy })).id
    },
  }
}

/** Streams a user's archive directly: a terminal can wait, unlike a request. */
async function* exportData(opened: Opened, userId: number): AsyncGenerator<Uint8Array, void> {
  const { mysql, outbox, neighbours } = opened.stores
  const readPart = createPartReader({
    own: createOwnDataRepository(mysql),
    profileOf: exportedProfile(createProfileRepository(mysql, outbox)),
    neighbours: neighbours.exports,
  })
  const { requestId, bearer } = await contextOf(opened, userId)
  yield* streamArchive(readPart, { userId, requestId, bearer })
}

/** Returns the password hash; null for a user who signs in with Google only. */
async function passwordHashOf({ mysql }: DataStores, userId: number): Promise<string | null> {
  const row = await mysql.run('operatorCredential', (db) => db.credential.findUnique({ where: { userId } }))
  return row?.passwordHash ?? null
}

/** Returns a context for acting as the user, with a token without a session that neighbor services accept. */
async function contextOf({ service, stores, keys }: Opened, userId: number): Promise<AuthenticatedContext> {
  const user = await stores.mysql.run('operatorUser', (db) =>
    db.user.findFirst({ where: { id: userId, status: 'active' } }),
  )
  if (!user) throw new CommandError(`There is no active account ${userId}.`)
  const actor = { userId, username: user.username, role: 'user' as const, sessionId: crypto.randomUUID() }
  await service.app.ready()
  const bearer = createTokens(service.app.jwt, keys).access(actor)
  const expiresAt = Math.floor(Date.now() / 1_000) + ACCESS_TOKEN_SECONDS
  return { requestId: uuidv7(), log: service.log, actor: { ...actor, expiresAt }, bearer }
}
