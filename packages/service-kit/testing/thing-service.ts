import { defineRoute } from '@bigtech/contracts'
import { context, propagation } from '@opentelemetry/api'
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { z } from 'zod'
import { baseConfig, buildService, loadConfig, Problem, port, route, StoreUnavailable } from '../src/index.ts'

const thing = defineRoute({
  operationId: 'createThing',
  method: 'POST',
  path: '/things/:id',
  tag: 'things',
  summary: 'Create a thing',
  params: z.object({ id: z.coerce.number().int().positive() }),
  body: z.strictObject({ name: z.string().trim().min(2) }),
  success: { status: 201, description: 'The thing.', schema: z.object({ id: z.int(), name: z.string() }) },
})
const forModerators = defineRoute({
  operationId: 'moderateThing',
  method: 'POST',
  path: '/moderated',
  tag: 'things',
  summary: 'For moderators',
  role: 'moderator',
  body: z.strictObject({ name: z.string() }),
  success: { status: 200, description: 'Done.', schema: z.object({ name: z.string() }) },
})
const failing = defineRoute({
  operationId: 'fail',
  method: 'GET',
  path: '/fail/:how',
  tag: 'things',
  summary: 'Fails',
  auth: 'public',
  params: z.object({ how: z.string() }),
  success: { status: 200, description: 'Never.', schema: z.object({ count: z.int() }) },
})

const formed = defineRoute({
  operationId: 'sendForm',
  method: 'POST',
  path: '/forms',
  tag: 'things',
  summary: 'Accept a form',
  auth: 'public',
  bodyType: 'form',
  deprecated: { since: '2026-01-27', sunset: '2026-07-27', instead: '`POST /things`' },
  body: z.object({ name: z.string() }),
  success: { status: 200, description: 'Its name.', schema: z.object({ name: z.string() }) },
})

/** Builds a service with a few operations, without stores. The caller stops it. */
export async function buildThingService() {
  const lines: string[] = []
  /** Headers that a handler passes on to neighbor services, outbox and Kafka. */
  const carried: Record<string, string>[] = []
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'EdDSA', use: 'sig' }
  const sign = (claims: JWTPayload = {}) =>
    new SignJWT({ sid: 's1', username: 'mina', ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'k1' })
      .setSubject('7')
      .setIssuer('bigtech-user-service')
      .setAudience('bigtech-chat')
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(privateKey)
  const service = await buildService({
    name: 'thing-service',
    title: 'Thing Service',
    description: 'Things.',
    config: loadConfig(z.object({ ...baseConfig.shape, PORT: port }), {
      PORT: '0',
      KAFKA_BROKERS: 'localhost:1',
      LOG_LEVEL: 'debug',
    }),
    keys: createLocalJWKSet({ keys: [jwk] }),
    logDestination: { write: (line) => void lines.push(line) },
  })
  route(service.app, thing, async ({ params, body }, ctx) => {
    await new Promise((resolve) => setImmediate(resolve))
    const carrier: Record<string, string> = {}
    propagation.inject(context.active(), carrier)
    carried.push(carrier)
    const result = { id: params.id, name: `${body.name} of ${ctx.actor.userId}`, password_hash: 'x' }
    return result
  })
  route(service.app, forModerators, ({ body }) => ({ name: body.name }))
  route(service.app, formed, ({ body }) => ({ name: body.name }))
  route(service.app, failing, ({ params }) => {
    if (params.how === 'result') return { count: 'not a number' as unknown as number }
    if (params.how === 'known') throw new Problem('EMAIL_TAKEN')
    if (params.how === 'outage') throw new StoreUnavailable('mysql', new Error('connect ECONNREFUSED'))
    throw new Error('the database password is hunter2')
  })
  await service.app.ready()
  const post = async (body: unknown, headers: Record<string, string> = {}) =>
    service.app.inject({
      method: 'POST',
      url: '/things/3',
      headers: { authorization: `Bearer ${await sign()}`, 'content-type': 'application/json', ...headers },
      payload: typeof body === 'string' ? body : JSON.stringify(body),
    })
  return { service, sign, post, lines, carried }
}
