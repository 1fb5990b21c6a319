import { ApiProblem, type Message, sendMessage } from '@bigtech/client'
import { call } from './api.ts'
import { db } from './db.ts'
import type { OutgoingMessage } from './outgoing-message.ts'
import { Store } from './store.ts'

type NewMessage = Pick<OutgoingMessage, 'roomId' | 'content' | 'replyTo' | 'mentions'>

/** What one send did, for the developer drawer. */
interface SendTrace {
  readonly clientMessageId: string
  readonly queuedAt: number
  readonly sentAt?: number
  readonly acknowledgedAt?: number
  readonly attempts: number
  readonly message?: Message
  readonly failure?: string
}

const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 30_000

/** Unacknowledged messages of the signed-in user, oldest first. */
export const outgoing = new Store<readonly OutgoingMessage[]>([])
export const lastSend = new Store<SendTrace | undefined>(undefined)

/**
 * Sends messages and keeps them in IndexedDB until they are acknowledged: a reload, a crash or a lost
 * network loses none. One tab sends at a time (Web Lock), in the order of writing; a message that two
 * tabs or two attempts send is stored once, because the server knows its `client_message_id`.
 */
export class Outbox {
  readonly #userId: number
  readonly #onSent: (message: Message) => void
  readonly #channel: BroadcastChannel
  readonly #closing = new AbortController()
  #isFlushing = false
  #failures = 0
  #retry: ReturnType<typeof setTimeout> | undefined

  constructor(userId: number, onSent: (message: Message) => void) {
    this.#userId = userId
    this.#onSent = onSent
    this.#channel = new BroadcastChannel(`bigtech-chat.outbox.${userId}`)
    this.#channel.onmessage = () => void this.#load()
    addEventListener('online', () => this.flush(), { signal: this.#closing.signal })
    void this.#load().then(() => this.flush())
  }

  close(): void {
    this.#closing.abort()
    clearTimeout(this.#retry)
    this.#channel.close()
    outgoing.set([])
    lastSend.set(undefined)
  }

  /** Resolves when the message is in IndexedDB; sending goes on in the background. */
  async add(message: NewMessage): Promise<void> {
    const item: OutgoingMessage = {
      ...message,
      clientMessageId: newId(),
      userId: this.#userId,
      createdAt: Date.now(),
    }
    lastSend.set({ clientMessageId: item.clientMessageId, queuedAt: item.createdAt, attempts: 0 })
    await this.#put(item)
    await this.#load()
    this.flush()
  }

  async retry(item: OutgoingMessage): Promise<void> {
    const { refusal: _, ...again } = item
    await this.#put(again)
    await this.#load()
    this.flush()
  }

  async discard(item: OutgoingMessage): Promise<void> {
    outgoing.update((items) =>
      items.filter(({ clientMessageId }) => clientMessageId !== item.clientMessageId),
    )
    await (await db()).delete('outbox', item.clientMessageId)
    this.#tell()
  }

  /** Sends what is queued, unless another tab is doing so. */
  flush(): void {
    if (this.#isFlushing || this.#closing.signal.aborted) return
    clearTimeout(this.#retry)
    this.#isFlushing = true
    void this.#locked(() => this.#sendAll()).finally(() => {
      this.#isFlushing = false
    })
  }

  async #locked(work: () => Promise<void>): Promise<void> {
    if (!navigator.locks) return work()
    const { signal } = this.#closing
    await navigator.locks
      .request(`bigtech-chat.outbox.${this.#userId}`, { signal }, work)
      .catch(() => undefined)
  }

  async #sendAll(): Promise<void> {
    for (;;) {
      await this.#load()
      const next = outgoing.get().find(({ refusal }) => refusal === undefined)
      if (!next || this.#closing.signal.aborted) return
      try {
        await this.#send(next)
        this.#failures = 0
      } catch (err) {
        if (isRefusal(err)) await this.#refuse(next, err)
        else return this.#retryLater(err)
      }
    }
  }

  async #send(item: OutgoingMessage): Promise<void> {
    this.#trace(item, (trace) => ({ ...trace, sentAt: Date.now(), attempts: trace.attempts + 1 }))
    const message = await call(sendMessage, {
      params: { room_id: item.roomId },
      body: {
        content: item.content,
        client_message_id: item.clientMessageId,
        ...(item.replyTo ? { reply_to: item.replyTo } : {}),
        ...(item.mentions?.length ? { mentions: item.mentions } : {}),
      },
    })
    this.#trace(item, (trace) => ({ ...trace, acknowledgedAt: Date.now(), message }))
    this.#onSent(message)
    await this.discard(item)
  }

  async #refuse(item: OutgoingMessage, { code, message: detail }: ApiProblem): Promise<void> {
    this.#trace(item, (trace) => ({ ...trace, failure: code }))
    await this.#put({ ...item, refusal: { code, detail } })
  }

  #retryLater(err: unknown): void {
    const asked = err instanceof ApiProblem ? (err.retryAfterSeconds ?? 0) * 1_000 : 0
    const backoff = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures++)
    this.#retry = setTimeout(() => this.flush(), asked + Math.random() * backoff)
  }

  async #put(item: OutgoingMessage): Promise<void> {
    await (await db()).put('outbox', item)
    this.#tell()
  }

  async #load(): Promise<void> {
    const items = await (await db()).getAllFromIndex('outbox', 'by_user', this.#userId)
    if (this.#closing.signal.aborted) return
    outgoing.set(items.sort((a, b) => a.createdAt - b.createdAt))
  }

  #tell(): void {
    if (!this.#closing.signal.aborted) this.#channel.postMessage('changed')
  }

  #trace({ clientMessageId }: OutgoingMessage, change: (trace: SendTrace) => SendTrace): void {
    lastSend.update((trace) => (trace?.clientMessageId === clientMessageId ? change(trace) : trace))
  }
}

/** The server has decided: repeating the same request changes nothing. */
function isRefusal(err: unknown): err is ApiProblem {
  return err instanceof ApiProblem && err.status < 500 && err.status !== 429 && err.status !== 401
}

/** `crypto.randomUUID` exists in secure contexts only. */
function newId(): string {
  if (crypto.randomUUID) return crypto.randomUUID()
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
}
