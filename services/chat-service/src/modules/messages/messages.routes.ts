import {
  addReaction,
  deleteMessage,
  editMessage,
  forwardMessage,
  getMessage,
  listMessages,
  listMessageVersions,
  listPins,
  listReadPositions,
  markRead,
  pinMessage,
  removeReaction,
  searchMessages,
  sendMessage,
  unpinMessage,
} from '@bigtech/contracts'
import { route } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import type { MessageService } from './message.service.ts'
import type { HistoryService } from './reading/history.service.ts'
import type { SendingService } from './sending.service.ts'

export async function messageRoutes(
  app: FastifyInstance,
  {
    sending,
    messages,
    history,
  }: { sending: SendingService; messages: MessageService; history: HistoryService },
): Promise<void> {
  route(app, sendMessage, ({ params, body }, ctx) => sending.send(ctx, params.room_id, body))
  route(app, listMessages, ({ params, query }, ctx) => history.list(ctx, params.room_id, query))
  route(app, searchMessages, ({ query }, ctx) => history.search(ctx, query))
  route(app, getMessage, ({ params }, ctx) => messages.get(ctx, params.room_id, params.message_id))
  route(app, editMessage, ({ params, body }, ctx) =>
    messages.edit(ctx, params.room_id, params.message_id, body),
  )
  route(app, deleteMessage, ({ params, query }, ctx) =>
    messages.delete(ctx, params.room_id, params.message_id, query.for),
  )
  route(app, listMessageVersions, ({ params, query }, ctx) =>
    messages.versions(ctx, params.room_id, params.message_id, query),
  )
  route(app, addReaction, ({ params }, ctx) =>
    messages.react(ctx, params.room_id, params.message_id, params.emoji),
  )
  route(app, removeReaction, ({ params }, ctx) =>
    messages.unreact(ctx, params.room_id, params.message_id, params.emoji),
  )
  route(app, listPins, async ({ params }, ctx) => ({ items: await messages.pins(ctx, params.room_id) }))
  route(app, pinMessage, ({ params }, ctx) => messages.pin(ctx, params.room_id, params.message_id))
  route(app, unpinMessage, ({ params }, ctx) => messages.unpin(ctx, params.room_id, params.message_id))
  route(app, forwardMessage, async ({ params, body }, ctx) => ({
    items: await sending.forward(ctx, params.room_id, params.message_id, body),
  }))
  route(app, markRead, ({ params, body }, ctx) => history.markRead(ctx, params.room_id, body.seq))
  route(app, listReadPositions, async ({ params }, ctx) => ({
    items: await history.readPositions(ctx, params.room_id),
  }))
}
