import * as chat from './chat-events.ts'
import type { EventDefinition } from './define-event.ts'
import * as erasure from './erasure-events.ts'
import * as friend from './friend-events.ts'
import * as media from './media-events.ts'
import * as message from './message-events.ts'
import * as user from './user-events.ts'

export * from './chat-events.ts'
export * from './define-event.ts'
export * from './erasure-events.ts'
export * from './friend-events.ts'
export * from './media-events.ts'
export * from './message-events.ts'
export * from './user-events.ts'

const isDefinition = (value: unknown): value is EventDefinition =>
  typeof value === 'object' && value !== null && 'create' in value && 'topic' in value

/** All events of the product, for tests and for tools that read any topic. */
export const allEvents: readonly EventDefinition[] = [user, friend, message, chat, media, erasure].flatMap(
  (module) => Object.values(module).filter(isDefinition),
)
