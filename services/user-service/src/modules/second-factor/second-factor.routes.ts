import {
  addPasskey,
  confirmTotp,
  disableTotp,
  getSecondFactors,
  removePasskey,
  replaceRecoveryCodes,
  startPasskey,
  startTotp,
} from '@bigtech/contracts'
import { route } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import type { Passkey } from './passkey.repository.ts'
import type { PasskeyService } from './passkey.service.ts'
import type { SecondFactorService } from './second-factor.service.ts'

export async function secondFactorRoutes(
  app: FastifyInstance,
  { factors, passkeys }: { factors: SecondFactorService; passkeys: PasskeyService },
): Promise<void> {
  route(app, getSecondFactors, async (_input, ctx) => {
    const [state, keys] = await Promise.all([factors.getSecondFactors(ctx), passkeys.listPasskeys(ctx)])
    return {
      totp_enabled_at: state.totpEnabledAt?.toISOString() ?? null,
      recovery_codes_left: state.recoveryCodesLeft,
      passkeys: keys.map(passkeyBody),
    }
  })

  route(app, startTotp, async ({ body }, ctx) => factors.startTotp(ctx, body))

  route(app, confirmTotp, async ({ body }, ctx) => ({
    recovery_codes: await factors.confirmTotp(ctx, body.code),
  }))

  route(app, disableTotp, async ({ body }, ctx) => {
    await factors.disableTotp(ctx, body)
    return undefined
  })

  route(app, replaceRecoveryCodes, async ({ body }, ctx) => ({
    recovery_codes: await factors.replaceRecoveryCodes(ctx, body),
  }))

  route(app, startPasskey, async ({ body }, ctx) => {
    const { token, options } = await passkeys.startPasskey(ctx, body)
    return { challenge_token: token, options }
  })

  route(app, addPasskey, async ({ body }, ctx) => {
    const { challenge_token: challengeToken, name, credential } = body
    return passkeyBody(await passkeys.addPasskey(ctx, { challengeToken, name, credential }))
  })

  route(app, removePasskey, async ({ params, body }, ctx) => {
    await passkeys.removePasskey(ctx, params.passkey_id, body)
    return undefined
  })
}

function passkeyBody(passkey: Passkey) {
  return {
    passkey_id: passkey.id,
    name: passkey.name,
    created_at: passkey.createdAt.toISOString(),
    last_used_at: passkey.lastUsedAt?.toISOString() ?? null,
  }
}
