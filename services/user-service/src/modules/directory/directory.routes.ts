import { getUser, getUsers, type ListedUser, type PublicProfile, searchUsers } from '@bigtech/contracts'
import { decodeCursor, encodeCursor, requireRole, route, toPage } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { DirectoryService } from './directory.service.ts'
import type { PublicUser } from './directory.ts'
import type { ListedAccount, UserListRepository } from './user-list.repository.ts'

const position = z.tuple([z.string(), z.int().positive()])
const listPosition = z.tuple([z.int().positive()])

export async function directoryRoutes(
  app: FastifyInstance,
  { directory, users }: { directory: DirectoryService; users: UserListRepository },
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

  route(app, getUsers, async ({ query }, ctx) => {
    const { user_ids, limit, skip, status, q: text, cursor } = query
    if (user_ids !== undefined) {
      return { items: (await directory.getUsers(ctx, user_ids)).map(profileBody), next_cursor: null }
    }
    requireRole(ctx.actor, 'operator')
    const [after] = decodeCursor(listPosition, cursor) ?? []
    const rows = await users.list({ status, text }, { limit, skip, after })
    return toPage(rows, limit, ({ userId }) => [userId], listedBody)
  })

  route(app, getUser, async ({ params }, ctx) => profileBody(await directory.getUser(ctx, params.user_id)))
}

function listedBody(user: ListedAccount): ListedUser {
  return {
    ...profileBody(user),
    account: {
      email: user.email,
      email_verified: user.emailVerified,
      age: user.age,
      phone: user.phone,
      role: user.role,
      state: user.state,
      login_count: user.loginCount,
      last_login_at: user.lastLoginAt?.toISOString() ?? null,
      last_seen_at: user.lastSeenAt?.toISOString() ?? null,
      online_count: user.onlineCount,
      created_at: user.createdAt.toISOString(),
    },
  }
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
