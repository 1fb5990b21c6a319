import { type ApiProblem, type Message, sendMessage } from '@bigtech/client'
import { call } from './api.ts'
import { db } from './db.ts'
import type { OutgoingFile, OutgoingMessage } from './outgoing-message.ts'
import { isRefusal, retryDelayMs } from './retry.ts'
import { Store } from './store.ts'
import { Uploads } from './uploads.ts'

type NewMessage = Pick<OutgoingMessage, 'roomId' | 'content' | 'replyTo' | 'mentions' | 'file'>

/** The steps of one send, for the developer drawer. */
interface SendTrace {
  readonly clientMessageId: string
  readonly queuedAt: number
  readonly sentAt?: number
  readonly acknowledgedAt?: number
  readonly attempts: number
  readonly message?: Message
  readonly failure?: string
}

/** Unacknowledged messages of the signed-in user, oldest first. */
export const outgoing = new Store<readonly OutgoingMessage[]>([])
export const lastSend = new Store<SendTrace | undefined>(undefined)

/**
 * Sends messages and keeps them in IndexedDB until acknowledged: a reload, a crash or a lost network loses
 * none. One tab sends at a time (Web Lock), in order of writing; a message sent by two tabs or attempts is
 * stored once, because the server knows its `client_message_id`. Files are uploaded in sequence, without
 * delaying text messages.
 */
export class Outbox {
  readonly #userId: number
  readonly #onSent: (message: Message) => void
  readonly #channel: BroadcastChannel
  readonly #closing = new AbortController()
  readonly #uploads = new Uploads()
  readonly #busy = new Set<'send' | 'upload'>()
  readonly #again = new Set<'send' | 'upload'>()
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
    this.#uploads.stop()
    this.#channel.close()
    outgoing.set([])
    lastSend.set(undefined)
  }

  /** Resolves when the message is stored in IndexedDB; sends it in the background. */
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
    const { refusal: _, file, ...again } = item
    // A refused or expired file is uploaded again.
    await this.#put(file ? { ...again, file: withoutUpload(file) } : again)
    await this.#load()
    this.flush()
  }

  async discard(item: OutgoingMessage): Promise<void> {
    outgoing.update((items) =>
      items.filter(({ clientMessageId }) => clientMessageId !== item.clientMessageId),
    )
    this.#uploads.keepOnly(outgoing.get())
    await (await db()).delete('outbox', item.clientMessageId)
    this.#tell()
  }

  /** Like `discard`, for a message that the user no longer wants to send. */
  async cancel(item: OutgoingMessage): Promise<void> {
    await this.discard(item)
    this.#uploads.forget(item)
  }

  /** Sends queued messages, unless another tab is sending. */
  flush(): void {
    clearTimeout(this.#retry)
    this.#exclusively('send', () => this.#sendAll())
    this.#exclusively('upload', () => this.#uploadAll())
  }

  #exclusively(task: 'send' | 'upload', work: () => Promise<void>): void {
    const { signal } = this.#closing
    if (signal.aborted) return
    // A message queued while the lock is being released must not wait for the next one.
    if (this.#busy.has(task)) return void this.#again.add(task)
    this.#busy.add(task)
    const name = `bigtech-chat.${task === 'send' ? 'outbox' : 'uploads'}.${this.#userId}`
    const run = navigator.locks ? navigator.locks.request(name, { signal }, work) : work()
    void run
      .catch(() => undefined)
      .finally(() => {
        this.#busy.delete(task)
        if (this.#again.delete(task)) this.#exclusively(task, work)
      })
  }

  async #uploadAll(): Promise<void> {
    for (;;) {
      await this.#load()
      const next = outgoing.get().find(({ file, refusal }) => file && !file.isReady && !refusal)
      if (!next?.file || this.#closing.signal.aborted) return
      try {
        const keep = (file: OutgoingFile) => this.#replace({ ...next, file })
        const uploaded = await this.#uploads.run(next, next.file, keep)
        if (!uploaded) continue
        await keep(uploaded)
        this.#failures = 0
        this.flush()
      } catch (err) {
        if (isRefusal(err)) await this.#refuse(next, err)
        else return this.#retryLater(err)
      }
    }
  }

  async #sendAll(): Promise<void> {
    for (;;) {
      await this.#load()
      const next = outgoing.get().find(({ file, refusal }) => !refusal && (!file || file.isReady))
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
        ...(item.file?.fileId ? { message_type: item.file.type, file_id: item.file.fileId } : {}),
      },
    })
    this.#trace(item, (trace) => ({ ...trace, acknowledgedAt: Date.now(), message }))
    this.#onSent(message)
    await this.discard(item)
  }

  async #refuse(item: OutgoingMessage, { code, message: detail }: ApiProblem): Promise<void> {
    this.#trace(item, (trace) => ({ ...trace, failure: code }))
    await this.#replace({ ...item, refusal: { code, detail } })
  }

  #retryLater(err: unknown): void {
    this.#retry = setTimeout(() => this.flush(), retryDelayMs(err, this.#failures++))
  }

  async #put(item: OutgoingMessage): Promise<void> {
    await (await db()).put('outbox', item)
    this.#tell()
  }

  /** Changes a message unless it was discarded in the meantime, perhaps in another tab. */
  async #replace(item: OutgoingMessage): Promise<void> {
    const { store, done } = (await db()).transaction('outbox', 'readwrite')
    if ((await store.getKey(item.clientMessageId)) !== undefined) await store.put(item)
    await done
    this.#tell()
  }

  async #load(): Promise<void> {
    const items = await (await db()).getAllFromIndex('outbox', 'by_user', this.#userId)
    if (this.#closing.signal.aborted) return
    outgoing.set(items.sort((a, b) => a.createdAt - b.createdAt))
    this.#uploads.keepOnly(items)
  }

  #tell(): void {
    if (!this.#closing.signal.aborted) this.#channel.postMessage('changed')
  }

  #trace({ clientMessageId }: OutgoingMessage, change: (trace: SendTrace) => SendTrace): void {
    lastSend.update((trace) => (trace?.clientMessageId === clientMessageId ? change(trace) : trace))
  }
}

function withoutUpload({ type, name, mime, bytes }: OutgoingFile): OutgoingFile {
  return { type, name, mime, bytes }
}

/** Returns a random id; `crypto.randomUUID` exists in secure contexts only. */
function newId(): string {
  if (crypto.randomUUID) return crypto.randomUUID()
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
}
