import { listMyActivities } from '@bigtech/contracts'
import { decodeCursor, route, toPage } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { ActivityRepository } from './activity.repository.ts'
import { descriptions } from './activity.ts'

const position = z.tuple([z.int().positive()])

export async function activityRoutes(
  app: FastifyInstance,
  { activities }: { activities: ActivityRepository },
): Promise<void> {
  route(app, listMyActivities, async ({ query }, ctx) => {
    const [before] = decodeCursor(position, query.cursor) ?? []
    const rows = await activities.list(ctx.actor.userId, query.limit, before)
    return toPage(
      rows,
      query.limit,
      (row) => [row.id],
      (row) => ({
        activity_id: row.id,
        type: row.type,
        description: descriptions[row.type],
        data: row.data,
        device: row.device,
        ip_prefix: row.ipPrefix,
        created_at: row.createdAt.toISOString(),
      }),
    )
  })
}
