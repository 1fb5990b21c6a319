import { changePassword, registerUser } from '@bigtech/contracts'
import { route } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import { subscriberOf } from '../session/device.ts'
import type { AccountService } from './account.service.ts'

export async function accountRoutes(
  app: FastifyInstance,
  { accounts }: { accounts: AccountService },
): Promise<void> {
  route(app, registerUser, async ({ body }, ctx, { request }) => {
    const account = await accounts.registerUser(ctx, {
      email: body.email,
      username: body.username,
      password: body.password,
      displayName: body.display_name,
      locale: body.locale,
      subscriber: subscriberOf(request.ip),
    })
    return {
      id: account.userId,
      user_id: account.userId,
      email: account.email,
      username: account.username,
      display_name: account.displayName,
      created_at: account.createdAt.toISOString(),
    }
  })

  route(app, changePassword, async ({ body }, ctx) => {
    await accounts.changePassword(ctx, body.current_password, body.new_password)
    return undefined
  })
}
