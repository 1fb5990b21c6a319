import {
  changeEmail,
  confirmEmail,
  endReportedSession,
  forgotPassword,
  issueAccountLink,
  requestEmailVerification,
  resetPassword,
  undoEmailChange,
} from '@bigtech/contracts'
import { route } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import { subscriberOf } from '../session/device.ts'
import type { RecoveryService } from './recovery.service.ts'

export async function recoveryRoutes(
  app: FastifyInstance,
  { recovery }: { recovery: RecoveryService },
): Promise<void> {
  route(app, requestEmailVerification, async (_input, ctx) => {
    await recovery.requestEmailVerification(ctx)
    return undefined
  })
  route(app, confirmEmail, async ({ body }, ctx) => {
    await recovery.confirmEmail(ctx, body.token)
    return undefined
  })
  route(app, changeEmail, async ({ body }, ctx) => {
    await recovery.changeEmail(ctx, body.email, body)
    return undefined
  })
  route(app, undoEmailChange, async ({ body }, ctx) => {
    await recovery.undoEmailChange(ctx, body.token)
    return undefined
  })
  route(app, forgotPassword, async ({ body }, ctx, { request }) => {
    await recovery.forgotPassword(ctx, body.email, subscriberOf(request.ip))
    return undefined
  })
  route(app, endReportedSession, async ({ body }, ctx) => {
    await recovery.endReportedSession(ctx, body.token)
    return undefined
  })
  route(app, resetPassword, async ({ body }, ctx) => {
    await recovery.resetPassword(ctx, body.token, body.new_password)
    return undefined
  })
  route(app, issueAccountLink, async ({ params }) => {
    const link = await recovery.issueAccountLink(params.link_id)
    const { signIn } = link
    return {
      purpose: link.purpose,
      email: link.email,
      locale: link.locale,
      token: link.token,
      expires_at: link.expiresAt.toISOString(),
      ...(signIn && {
        sign_in: { device: signIn.device, ip_prefix: signIn.ipPrefix, at: signIn.at.toISOString() },
      }),
    }
  })
}
