import { ApiProblem } from './api-problem.ts'
import type { CallOf } from './operation.ts'
import { type Message, sendMessage } from './operations.ts'
import type { Session } from './session.ts'

type SendBody = CallOf<typeof sendMessage>['body']

/** A written message that may not have arrived yet. */
export interface OutboxMessage {
  readonly room_id: number
  /** Includes the `client_message_id`: stored once for any number of sends. */
  readonly body: SendBody & { readonly client_message_id: string }
}

/** Keeps unsent messages across restarts. */
export interface OutboxStore {
  load(): Promise<readonly OutboxMessage[]>
  save(messages: readonly OutboxMessage[]): Promise<void>
}

export interface OutboxOptions {
  readonly session: Pick<Session, 'call'>
  /** Default: memory. */
  readonly store?: OutboxStore
  readonly onSent?: (message: Message) => void
  /** Called when the server refuses a message permanently: show it as failed. */
  readonly onRefused?: (message: OutboxMessage, problem: ApiProblem) => void
}

const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 30_000

/** Sends messages in order per room, with retries until the server has responded. */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #ready: Promise<void>
  readonly #closing = new AbortController()
  readonly #busy = new Set<number>()
  #messages: OutboxMessage[] = []

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#ready = this.#load()
  }

  /** Returns unacknowledged messages in the order of writing. */
  get pending(): readonly OutboxMessage[] {
    return this.#messages
  }

  /** Queues a message; resolves when it is stored, not when it has arrived. */
  async send(room_id: number, body: SendBody): Promise<OutboxMessage> {
    await this.#ready
    const client_message_id = body.client_message_id ?? crypto.randomUUID()
    const message = { room_id, body: { ...body, client_message_id } }
    this.#messages.push(message)
    await this.#save()
    void this.#drain(room_id)
    return message
  }

  /** Stops sending; pending messages stay in the store. */
  close(): void {
    this.#closing.abort()
  }

  async #load(): Promise<void> {
    this.#messages = [...((await this.#options.store?.load()) ?? [])]
    for (const { room_id } of this.#messages) void this.#drain(room_id)
  }

  async #save(): Promise<void> {
    await this.#options.store?.save(this.#messages)
  }

  /** Sends one message at a time, so that messages arrive in the order of writing. */
  async #drain(roomId: number): Promise<void> {
    if (this.#busy.has(roomId)) return
    this.#busy.add(roomId)
    for (let failures = 0; !this.#closing.signal.aborted; ) {
      const message = this.#messages.find(({ room_id }) => room_id === roomId)
      if (!message) break
      const retryInMs = await this.#attempt(message, failures)
      failures = retryInMs === undefined ? 0 : failures + 1
      if (retryInMs !== undefined) await this.#pause(retryInMs)
    }
    this.#busy.delete(roomId)
  }

  /** Returns the delay before the next attempt; undefined after a final response. */
  async #attempt(message: OutboxMessage, failures: number): Promise<number | undefined> {
    const { session, onSent, onRefused } = this.#options
    const { room_id, body } = message
    try {
      const sent = await session.call(sendMessage, { params: { room_id }, body })
      await this.#remove(message)
      onSent?.(sent)
      return undefined
    } catch (err) {
      const isRefused = err instanceof ApiProblem && err.status < 500 && ![401, 408, 429].includes(err.status)
      if (!isRefused) {
        const asked = err instanceof ApiProblem ? (err.retryAfterSeconds ?? 0) * 1_000 : 0
        return asked + Math.random() * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures)
      }
      await this.#remove(message)
      onRefused?.(message, err)
      return undefined
    }
  }

  async #remove(message: OutboxMessage): Promise<void> {
    this.#messages = this.#messages.filter((each) => each !== message)
    await this.#save()
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#closing.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
