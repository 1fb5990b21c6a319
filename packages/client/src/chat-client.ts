import { Http } from './http.ts'
import type { AnswerOf, CallOf, Operation } from './operation.ts'
import type { StoredFile } from './operations.ts'
import * as operations from './operations.ts'
import { memorySessionStore, Session, type SessionStore } from './session.ts'
import { sharedTransport } from './shared-transport.ts'
import { ChatStream, type StreamListener } from './stream.ts'
import { fetchTransport } from './transport.ts'
import { type UploadOptions, upload } from './upload.ts'

type Operations = typeof operations
type Input<Op extends Operation> =
  Record<never, never> extends CallOf<Op> ? [input?: CallOf<Op>] : [input: CallOf<Op>]

/** All operations as methods: `api.sendMessage({ params: { room_id: 7 }, body: { content: 'hello' } })`. */
export type ChatApi = {
  readonly [Name in keyof Operations as Operations[Name] extends Operation ? Name : never]: (
    ...input: Input<Operations[Name] & Operation>
  ) => Promise<AnswerOf<Operations[Name] & Operation>>
}

export interface ChatClientOptions {
  /** Base URL of the API, e.g. `http://localhost:8000/api`. */
  readonly baseUrl: string
  /** Default: memory. Use `webSessionStore(localStorage)` in a browser. */
  readonly store?: SessionStore
  /** Called when the session has ended without `logout`. */
  readonly onSignedOut?: () => void
  readonly fetch?: typeof fetch
}

export interface ChatClient {
  readonly api: ChatApi
  readonly session: Session
  /** Uploads a file in parts; see `UploadOptions`. */
  upload(file: Blob, options: UploadOptions): Promise<StoredFile>
  /**
   * Opens the event stream: call `start()`, or iterate over it. All tabs of a browser share one connection.
   */
  stream(listener?: StreamListener): ChatStream
}

/** Creates a client of the API: methods, session and stream. */
export function createChatClient(options: ChatClientOptions): ChatClient {
  const http = new Http(options)
  const session = new Session(http, options.store ?? memorySessionStore(), options.onSignedOut)
  const api = Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [
      name,
      (input = {}) => session.call(operation as Operation, input),
    ]),
  ) as unknown as ChatApi
  return {
    api,
    session,
    upload: (file, uploadOptions) => upload(session, file, uploadOptions),
    stream: (listener) => {
      const inner = fetchTransport(http, session)
      const isPage = 'document' in globalThis
      const name = `${http.baseUrl}#${session.current?.userId}`
      const transport = isPage ? sharedTransport({ name, inner }) : inner
      return new ChatStream({ session, transport, ...(listener ? { listener } : {}) })
    },
  }
}
