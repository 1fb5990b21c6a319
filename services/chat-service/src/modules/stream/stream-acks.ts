import { everyTick } from '@bigtech/kafka'
import type { PubSub } from './pubsub.ts'

interface Ack {
  readonly stream: string
  readonly user: number
}

/** Number of probes without an echo after which the path counts as broken. */
const MISSED_PROBES = 3

const channelOf = (instanceId: string) => `chat:stream-acks:${instanceId}` as const

/**
 * Forwards clients' acknowledgements to the process that holds the stream, because the load balancer may send
 * them to any process. Probes its own channel, so that no stream is closed while acknowledgements cannot
 * arrive.
 */
export class StreamAcks {
  readonly #pubsub: Pick<PubSub, 'hint' | 'onHint'>
  readonly #instanceId: string
  readonly #note: (streamId: string, userId: number) => void
  readonly #probeEveryMs: number
  #worksSince: number | undefined
  #echoAt = 0
  #stopProbes: (() => void) | undefined
  #lastStream = 0

  constructor(options: {
    readonly pubsub: Pick<PubSub, 'hint' | 'onHint'>
    readonly instanceId: string
    /** Records that a client has read its stream of this process until now. */
    readonly note: (streamId: string, userId: number) => void
    readonly probeEveryMs: number
  }) {
    this.#pubsub = options.pubsub
    this.#instanceId = options.instanceId
    this.#note = options.note
    this.#probeEveryMs = options.probeEveryMs
  }

  start(): void {
    this.#pubsub.onHint(channelOf(this.#instanceId), (payload) => this.#receive(payload))
    this.#probe()
    this.#stopProbes = everyTick(this.#probeEveryMs, () => this.#probe())
  }

  stop(): void {
    this.#stopProbes?.()
  }

  /** Returns an id that contains the process, so that any process can forward an acknowledgement. */
  newStreamId(): string {
    return `${this.#instanceId}.${(++this.#lastStream).toString(36)}`
  }

  /** Records that a client has read its stream until now, or forwards that to the process that holds the stream. */
  acknowledge(stream: string, user: number): void {
    const instanceId = stream.slice(0, stream.indexOf('.'))
    if (instanceId === this.#instanceId) this.#note(stream, user)
    else void this.#pubsub.hint(channelOf(instanceId), JSON.stringify({ stream, user } satisfies Ack))
  }

  /** Returns since when acknowledgements have arrived without interruption; undefined while interrupted. */
  get worksSince(): number | undefined {
    if (Date.now() - this.#echoAt > this.#probeEveryMs * MISSED_PROBES) this.#worksSince = undefined
    return this.#worksSince
  }

  #probe(): void {
    void this.#pubsub.hint(channelOf(this.#instanceId), '{}')
  }

  #receive(payload: string): void {
    this.#worksSince = this.worksSince ?? Date.now()
    this.#echoAt = Date.now()
    const { stream, user } = JSON.parse(payload) as Partial<Ack>
    if (stream !== undefined && user !== undefined) this.#note(stream, user)
  }
}
