import { acknowledgeStream, createStreamTicket, openStream, sendTyping } from '@bigtech/contracts'
import {
  authenticate,
  type Context,
  type Limit,
  Problem,
  type RateLimiter,
  route,
  type Service,
} from '@bigtech/service-kit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { StreamService } from './stream.service.ts'
import type { StreamAcks } from './stream-acks.ts'
import { StreamOutput } from './stream-output.ts'
import { type StreamHost, StreamSession } from './stream-session.ts'
import { streamHead, takeSocket } from './stream-socket.ts'
import { type StreamTickets, TICKET_SECONDS } from './tickets.ts'
import type { TypingService } from './typing.service.ts'
import type { WriteBatcher } from './write-batcher.ts'

export interface StreamRoutesOptions {
  readonly streams: StreamService
  readonly acks: StreamAcks
  readonly tickets: StreamTickets
  readonly typing: TypingService
  readonly limiter: RateLimiter
  readonly revocations: Service['revocations']
  readonly batcher: WriteBatcher
  readonly host: StreamHost
}

const ticketLimit: Limit = { name: 'stream_tickets', max: 60, windowSeconds: 60 }
/** Against loops of clients: no stream waits for Redis. */
const openLimit: Limit = { name: 'open_stream', max: 120, windowSeconds: 60, isWriteBehind: true }

interface Identity {
  readonly userId: number
  readonly sessionId: string
  readonly lastEventId?: string | undefined
}

export async function streamRoutes(app: FastifyInstance, options: StreamRoutesOptions): Promise<void> {
  const { streams, tickets, typing, limiter } = options

  route(app, createStreamTicket, async ({ body }, { actor }) => {
    await limiter.take(ticketLimit, actor.userId)
    const { userId, sessionId, username } = actor
    const lastEventId = body?.last_event_id
    const ticket = await tickets.issue({
      userId,
      sessionId,
      username,
      ...(lastEventId ? { lastEventId } : {}),
    })
    return { ticket, expires_in: TICKET_SECONDS }
  })

  route(app, sendTyping, async ({ params }, { actor }) => {
    await typing.typing(params.room_id, actor.userId)
    return undefined
  })

  route(app, acknowledgeStream, async ({ body }, { actor }) => {
    options.acks.acknowledge(body.stream_id, actor.userId)
    return undefined
  })

  route(app, openStream, async ({ query }, _ctx: Context, { request, reply }) => {
    const identity = await identify(request, query.ticket, options)
    await limiter.take(openLimit, identity.userId)
    const session = sessionFor({ ...identity, acknowledges: query.acks !== undefined }, options)
    const onClose = closing(session)
    // Registered while the stream opens: a client that disconnects before then would never be noticed.
    reply.raw.once('close', onClose)
    const plan = await streams.admit(
      session,
      lastEventIdOf(request) ?? query.last_event_id ?? identity.lastEventId,
    )
    if (options.revocations.has(identity.sessionId)) {
      session.close('session_revoked')
      throw new Problem('SESSION_REVOKED')
    }
    reply.raw.off('close', onClose)
    const socket = takeSocket(request, reply)
    if (socket?.destroyed === false) {
      socket.once('close', onClose)
      session.attach(socket, streamHead(request.id))
      void streams.run(session, plan)
    } else onClose()
    return ''
  })
}

/** Verifies the header's token, or redeems the URL's ticket, which is used up in any case. */
async function identify(
  request: FastifyRequest,
  ticket: string | undefined,
  { tickets, revocations }: StreamRoutesOptions,
): Promise<Identity> {
  if (request.headers.authorization !== undefined) return authenticate(request)
  if (ticket === undefined) throw new Problem('NOT_AUTHENTICATED')
  const holder = await tickets.redeem(ticket)
  if (revocations.has(holder.sessionId)) throw new Problem('SESSION_REVOKED')
  return holder
}

/** In a scope of its own: beside the handler's variables the callback would keep the request for as long as the stream is open. */
const closing = (session: StreamSession) => () => session.close('client_gone')

function sessionFor(
  { userId, sessionId, acknowledges }: Identity & { acknowledges: boolean },
  { acks, batcher, host }: StreamRoutesOptions,
): StreamSession {
  return new StreamSession({
    id: acks.newStreamId(),
    userId,
    loginId: sessionId,
    acknowledges,
    output: new StreamOutput(batcher),
    host,
  })
}

function lastEventIdOf(request: FastifyRequest): string | undefined {
  const header = request.headers['last-event-id']
  return typeof header === 'string' && header !== '' ? header : undefined
}
