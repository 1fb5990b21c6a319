import { getMessage, type Message } from '@bigtech/contracts'
import {
  type AuthenticatedContext,
  Problem,
  type ServiceClient,
  StoreUnavailable,
} from '@bigtech/service-kit'

/**
 * Returns a function that fetches a message from chat-service on behalf of the caller. Undefined: not visible
 * to the caller.
 */
export function findMessageIn(chat: ServiceClient) {
  return async (ctx: AuthenticatedContext, messageId: string): Promise<Message | undefined> => {
    const [roomId] = messageId.split(':')
    const params = { room_id: Number(roomId), message_id: messageId }
    try {
      return await chat.call(getMessage, { params }, ctx)
    } catch (err) {
      if (err instanceof Problem && !(err instanceof StoreUnavailable) && err.status !== 401) return undefined
      throw err
    }
  }
}
