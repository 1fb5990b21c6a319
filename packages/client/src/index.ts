export * from '@bigtech/contracts'
export { ApiProblem, isProblem, NetworkFailure } from './api-problem.ts'
export { type ChatApi, type ChatClient, type ChatClientOptions, createChatClient } from './chat-client.ts'
export { type CallOptions, Http, type HttpOptions, problemOf } from './http.ts'
export type { AnswerOf, CallOf, Operation } from './operation.ts'
export { Outbox, type OutboxMessage, type OutboxOptions, type OutboxStore } from './outbox.ts'
export {
  memorySessionStore,
  Session,
  type SessionStore,
  type StoredSession,
  webSessionStore,
} from './session.ts'
export { type SharedTransportOptions, sharedTransport } from './shared-transport.ts'
export {
  ChatStream,
  type ChatStreamOptions,
  type StateReason,
  type StreamListener,
  type StreamState,
} from './stream.ts'
export { Timeline } from './timeline.ts'
export { eventSourceTransport, fetchTransport, type StreamTransport } from './transport.ts'
export { type UploadOptions, upload } from './upload.ts'
