import { getPresence, sendHeartbeat } from '@bigtech/contracts'
import { route } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import type { PresenceService } from './presence.service.ts'

export async function presenceRoutes(
  app: FastifyInstance,
  { presence }: { presence: PresenceService },
): Promise<void> {
  route(app, sendHeartbeat, async ({ body }, ctx) => {
    const { online, expiresInSeconds } = await presence.sendHeartbeat(ctx, body?.state ?? 'online')
    return { online, expires_in: expiresInSeconds }
  })

  route(app, getPresence, async ({ query }, ctx) => ({
    items: (await presence.getPresence(ctx, query.user_ids)).map((view) => ({
      user_id: view.userId,
      online: view.online,
      last_seen_at: view.lastSeenAt?.toISOString() ?? null,
    })),
  }))
}
