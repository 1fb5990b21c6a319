import { type AuthenticatedContext, StoreUnavailable } from '@bigtech/service-kit'
import type { LookupLimit } from '../directory/lookup-limit.ts'
import type { PresenceRepository } from './presence.repository.ts'
import type { PresenceStore } from './presence.store.ts'
import { maySeePresence, type PresenceView, sources } from './presence.ts'

export type PresenceService = ReturnType<typeof createPresenceService>

/** Creates the presence service. */
export function createPresenceService(deps: {
  presence: PresenceStore
  relations: PresenceRepository
  lookups: LookupLimit
}) {
  const { presence, relations, lookups } = deps
  return {
    async sendHeartbeat(
      ctx: AuthenticatedContext,
      state: 'online' | 'offline',
    ): Promise<{ online: boolean; expiresInSeconds: number }> {
      const { userId, sessionId } = ctx.actor
      const source = sources.session(sessionId)
      const [deadline = 0] = await presence.touch({ source, userIds: [userId], gone: state === 'offline' })
      const restMs = deadline - Date.now()
      return { online: restMs > 0, expiresInSeconds: Math.max(0, Math.ceil(restMs / 1_000)) }
    },

    /**
     * Returns presence with one Redis round trip and one query. During a Redis outage presence is unknown,
     * which is no failure.
     */
    async getPresence(ctx: AuthenticatedContext, userIds: readonly number[]): Promise<PresenceView[]> {
      await lookups.take(ctx.actor.userId, userIds)
      const [seen, online] = await Promise.all([
        relations.relationsOf(ctx.actor.userId, userIds),
        presence.areOnline(userIds).catch((err: unknown) => {
          if (err instanceof StoreUnavailable) return undefined
          throw err
        }),
      ])
      const now = new Date()
      return userIds.map((userId, index) => {
        const known = seen.get(userId)
        const isOnline = online?.[index]
        if (isOnline === undefined || !known || !maySeePresence(known.relation)) {
          return { userId, online: null, lastSeenAt: null }
        }
        return { userId, online: isOnline, lastSeenAt: isOnline ? now : known.lastSeenAt }
      })
    },

    /** Removes ended sessions as sources of presence. */
    async sessionsEnded(userId: number, sessionIds: readonly string[]): Promise<void> {
      for (const sessionId of sessionIds) {
        await presence.touch({ source: sources.session(sessionId), userIds: [userId], gone: true })
      }
    },
  }
}
