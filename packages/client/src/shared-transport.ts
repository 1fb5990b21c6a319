import { NetworkFailure } from './api-problem.ts'
import { Leader, type Waiting, type Word } from './tab-leader.ts'
import type { StreamTransport } from './transport.ts'

/** The used part of Web Locks. */
interface Locks {
  request(
    name: string,
    options: { signal?: AbortSignal; steal?: boolean },
    work: () => Promise<void>,
  ): Promise<unknown>
}

/** The used part of BroadcastChannel. */
export interface Channel {
  postMessage(message: unknown): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  close(): void
}

export interface SharedTransportOptions {
  /** Tabs with the same name share one connection: include the server and the user. */
  readonly name: string
  readonly inner: StreamTransport
  /** Default: `navigator.locks`; null: unavailable. */
  readonly locks?: Locks | null | undefined
  readonly openChannel?: ((name: string) => Channel) | undefined
  /** Time without a response after which a leader counts as frozen. */
  readonly answerTimeoutMs?: number
}

const ANSWER_TIMEOUT_MS = 3_000

/**
 * One connection for all tabs of a browser, which opens at most six per server over HTTP/1.1: the tab that
 * holds a lock connects and forwards every frame. When it closes, another tab takes over and resumes.
 * Without Web Locks or BroadcastChannel every tab connects separately.
 */
export function sharedTransport(options: SharedTransportOptions): StreamTransport {
  const { inner, name } = options
  const { locks = (globalThis.navigator as { locks?: Locks } | undefined)?.locks } = options
  const openChannel = options.openChannel ?? browserChannel()
  if (!locks || !openChannel) return inner
  const tab = new Tab({
    name: `bigtech-stream:${name}`,
    inner,
    locks,
    openChannel,
    answerTimeoutMs: options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
  })
  return Object.assign((connection: Connection) => tab.connect(connection), { close: () => tab.close() })
}

type Connection = Parameters<StreamTransport>[0]

interface TabOptions {
  readonly name: string
  readonly inner: StreamTransport
  readonly locks: Locks
  readonly openChannel: (name: string) => Channel
  readonly answerTimeoutMs: number
}

/** One tab: leads while it holds the lock, otherwise follows. */
class Tab {
  readonly #options: TabOptions
  readonly #id = crypto.randomUUID()
  #channel: Channel | undefined
  /** Handles a message of another tab. */
  #onWord: (word: Word) => void = () => undefined
  /** Tabs waiting for this one to connect, with their positions. */
  readonly #waiting: Waiting = new Map()
  /** Present while this tab leads; aborted when the leadership ends. */
  #term: AbortController | undefined

  constructor(options: TabOptions) {
    this.#options = options
  }

  async connect(connection: Connection): Promise<void> {
    let lastEventId = connection.lastEventId
    const events = {
      ...connection.events,
      onId: (id: string) => {
        lastEventId = id
        connection.events.onId(id)
      },
    }
    const { signal } = connection
    if (!this.#term) await this.#follow({ lastEventId, signal, events })
    await this.#lead({ lastEventId, signal, events })
  }

  /** Ends the leadership, so that another tab connects. */
  close(): void {
    this.#term?.abort()
    this.#term = undefined
    this.#channel?.close()
    this.#channel = undefined
  }

  /**
   * Connects and forwards frames. Stays the leader when the connection breaks, because another tab would not
   * do better.
   */
  async #lead({ lastEventId, signal, events }: Connection): Promise<void> {
    const leader = new Leader((word) => this.#say(word), this.#waiting, lastEventId)
    this.#onWord = (word) => word.say === 'hello' && leader.welcome(word.tab, word.id)
    try {
      await this.#options.inner({
        lastEventId,
        signal: AbortSignal.any([signal, this.#term!.signal]),
        events: leader.passOn(events),
      })
    } finally {
      this.#say({ say: 'down' })
      // Until it is connected again.
      this.#onWord = (word) => {
        if (word.say !== 'hello') return
        this.#waiting.set(word.tab, word.id)
        this.#say({ say: 'wait', to: word.tab })
      }
    }
  }

  /** Receives the leader's frames. Resolves when this tab leads; rejects when the leader's connection broke. */
  async #follow({ lastEventId, signal, events }: Connection): Promise<void> {
    signal.throwIfAborted()
    const elected = Promise.withResolvers<void>()
    const stop = new AbortController()
    const campaign = (steal: boolean) => this.#campaign(stop.signal, steal, elected.resolve)
    // A leader that does not respond is frozen and sends no frames.
    const silence = setTimeout(() => campaign(true), this.#options.answerTimeoutMs)
    let isWelcome = false
    this.#onWord = (word) => {
      if (word.say === 'down') elected.reject(new NetworkFailure(new Error('The shared connection broke.')))
      if (word.say !== 'frame' && word.say !== 'wait') return
      if (word.to === this.#id) clearTimeout(silence)
      if (word.say !== 'frame') return
      // Broadcasts before the welcome are included in the welcome.
      if (word.to === undefined ? !isWelcome : word.to !== this.#id) return
      isWelcome = true
      events.onFrame(word.name, word.data)
      if (word.id !== undefined) events.onId(word.id)
    }
    signal.addEventListener('abort', () => elected.reject(signal.reason), { signal: stop.signal })
    campaign(false)
    this.#say({ say: 'hello', tab: this.#id, id: lastEventId })
    try {
      await elected.promise
    } finally {
      clearTimeout(silence)
      stop.abort()
      this.#onWord = () => undefined
    }
  }

  #campaign(signal: AbortSignal, steal: boolean, onElected: () => void): void {
    const term = new AbortController()
    const hold = async () => {
      if (signal.aborted) return
      this.#term = term
      onElected()
      await new Promise((resolve) => term.signal.addEventListener('abort', resolve))
    }
    this.#options.locks
      .request(this.#options.name, steal ? { steal } : { signal }, hold)
      // Lost the election, or the lock was stolen by a tab that considered this one frozen.
      .catch(() => {
        term.abort()
        if (this.#term === term) this.#term = undefined
      })
  }

  #say(word: Word): void {
    if (!this.#channel) {
      this.#channel = this.#options.openChannel(this.#options.name)
      this.#channel.addEventListener('message', ({ data }) => this.#onWord(data as Word))
    }
    this.#channel.postMessage(word)
  }
}

function browserChannel(): ((name: string) => Channel) | undefined {
  const { BroadcastChannel } = globalThis as unknown as { BroadcastChannel?: new (name: string) => Channel }
  return BroadcastChannel && ((name) => new BroadcastChannel(name))
}
