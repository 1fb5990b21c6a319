import { createSocketTicket } from '@bigtech/contracts'
import { Problem, route, type Service } from '@bigtech/service-kit'
import websocket from '@fastify/websocket'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { DocumentSockets } from './document-sockets.ts'
import { type SocketTickets, TICKET_SECONDS, type TicketHolder } from './socket-tickets.ts'

declare module 'fastify' {
  interface FastifyRequest {
    ticketHolder: TicketHolder | null
  }
}

export interface SocketsRoutesOptions {
  readonly sockets: DocumentSockets
  readonly tickets: SocketTickets
  readonly revocations: Service['revocations']
}

/** Clients send no data; a larger frame closes the socket with 1009. */
const MAX_FRAME_BYTES = 4_096

export const socketsRoutes: FastifyPluginAsync<SocketsRoutesOptions> = async (app, options) => {
  const { sockets, tickets, revocations } = options
  await app.register(websocket, { options: { maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false } })
  app.decorateRequest('ticketHolder', null)

  route(app, createSocketTicket, async (_input, { actor }) => ({
    ticket: await tickets.issue({ userId: actor.userId, sessionId: actor.sessionId }),
    expires_in: TICKET_SECONDS,
  }))

  app.route({
    method: 'GET',
    url: '/ws',
    schema: { hide: true },
    // Before the handshake, so that a rejection is an HTTP response rather than a closed socket.
    preValidation: async (request: FastifyRequest) => {
      const { ticket } = request.query as { ticket?: unknown }
      if (!request.ws) throw new Problem('BAD_REQUEST', { detail: 'Open this path as a WebSocket.' })
      if (typeof ticket !== 'string' || ticket.length > 100) throw new Problem('TICKET_INVALID')
      const holder = await tickets.redeem(ticket)
      if (revocations.has(holder.sessionId)) throw new Problem('SESSION_REVOKED')
      request.ticketHolder = holder
    },
    handler: async () => undefined,
    wsHandler: (socket, request) => void sockets.add(request.ticketHolder!, socket),
  })
}
