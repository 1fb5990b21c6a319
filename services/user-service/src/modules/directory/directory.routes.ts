import { getUser, getUsers, type PublicProfile, searchUsers } from '@bigtech/contracts'
import { decodeCursor, encodeCursor, route } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { DirectoryService } from './directory.service.ts'
import type { PublicUser } from './directory.ts'

const position = z.tuple([z.string(), z.int().positive()])

export async function directoryRoutes(
  app: FastifyInstance,
  { directory }: { directory: DirectoryService },
): Promise<void> {
  route(app, searchUsers, async ({ query }, ctx) => {
    const [term, userId] = decodeCursor(position, query.cursor) ?? []
    const after = term !== undefined && userId !== undefined ? { term, userId } : undefined
    const page = await directory.searchUsers(ctx, { text: query.q, limit: query.limit, after })
    return {
      items: page.users.map(profileBody),
      next_cursor: page.next ? encodeCursor([page.next.term, page.next.userId]) : null,
    }
  })

  route(app, getUsers, async ({ query }, ctx) => ({
    items: (await directory.getUsers(ctx, query.user_ids)).map(profileBody),
  }))

  route(app, getUser, async ({ params }, ctx) => profileBody(await directory.getUser(ctx, params.user_id)))
}

function profileBody(user: PublicUser): PublicProfile {
  return {
    user_id: user.userId,
    username: user.username,
    display_name: user.displayName,
    status_message: user.statusMessage,
    profile_image_url: user.profileImageUrl,
  }
}
