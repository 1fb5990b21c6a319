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
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { StreamService } from './stream.service.ts'
import type { StreamAcks } from './stream-acks.ts'
import type { StreamHub } from './stream-hub.ts'
import { StreamOutput } from './stream-output.ts'
import { type CloseReason, StreamSession } from './stream-session.ts'
import { type StreamTickets, TICKET_SECONDS } from './tickets.ts'
import type { TypingService } from './typing.service.ts'
import type { WriteBatcher } from './write-batcher.ts'

export interface StreamRoutesOptions {
  readonly streams: StreamService
  readonly hub: StreamHub
  readonly acks: StreamAcks
  readonly tickets: StreamTickets
  readonly typing: TypingService
  readonly limiter: RateLimiter
  readonly revocations: Service['revocations']
  readonly batcher: WriteBatcher
  readonly onFrame: () => void
  readonly onClosed: (reason: CloseReason) => void
}

const ticketLimit: Limit = { name: 'stream_tickets', max: 60, windowSeconds: 60 }
const openLimit: Limit = { name: 'open_stream', max: 120, windowSeconds: 60 }

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
    const session = sessionFor(reply, { ...identity, acknowledges: query.acks !== undefined }, options)
    // Registered while the stream opens: a client that disconnects before then would never be noticed.
    reply.raw.once('close', () => session.close('client_gone'))
    const plan = await streams.admit(
      session,
      lastEventIdOf(request) ?? query.last_event_id ?? identity.lastEventId,
    )
    if (options.revocations.has(identity.sessionId)) {
      session.close('session_revoked')
      throw new Problem('SESSION_REVOKED')
    }
    startResponse(request, reply)
    void streams.run(session, plan)
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

function sessionFor(
  reply: FastifyReply,
  { userId, sessionId, acknowledges }: Identity & { acknowledges: boolean },
  { hub, acks, batcher, onFrame, onClosed }: StreamRoutesOptions,
): StreamSession {
  const session: StreamSession = new StreamSession({
    id: acks.newStreamId(),
    userId,
    loginId: sessionId,
    acknowledges,
    output: new StreamOutput(reply.raw, batcher, () => session.close('slow_reader')),
    onFrame,
    onClosed: (closed, reason) => {
      hub.remove(closed)
      onClosed(reason)
    },
  })
  return session
}

function lastEventIdOf(request: FastifyRequest): string | undefined {
  const header = request.headers['last-event-id']
  return typeof header === 'string' && header !== '' ? header : undefined
}

function startResponse(request: FastifyRequest, reply: FastifyReply): void {
  reply.hijack()
  const { socket } = request.raw
  socket.setNoDelay(true)
  socket.setTimeout(0)
  // The end of the connection ends the stream: chunked framing would cost a fifth of every write.
  reply.raw.useChunkedEncodingByDefault = false
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-request-id': request.id,
  })
  // The delay before a browser reconnects.
  reply.raw.write('retry: 1000\n\n')
}
