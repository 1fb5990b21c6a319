import type { Service } from '@bigtech/service-kit'
import type { Redis } from 'ioredis'

export type HintListener = (payload: string) => void

/**
 * Redis for short-lived keys and hints between processes. Durable data is in a database or in Kafka, so Redis
 * may be flushed at any time. Keys and channels begin with `chat:`.
 */
export class ChatRedis {
  /** The client for keys. Fails within 500 ms during an outage. */
  readonly commands: Redis
  readonly #subscriber: Redis
  readonly #listeners = new Map<string, HintListener[]>()
  readonly #suffix: string

  /** @param commands the service's Redis client; subscriptions use a separate connection */
  constructor(service: Service, commands: Redis) {
    this.commands = commands
    this.#subscriber = commands.duplicate({
      commandTimeout: undefined,
      enableOfflineQueue: true,
      maxRetriesPerRequest: null,
    })
    this.#subscriber.on('error', (err: Error) => service.log.debug({ err }, 'Redis connection failed'))
    service.lifecycle.onStop('stores', 'redis subscriber', () => this.#subscriber.disconnect())
    // Channels, unlike keys, are shared by all databases of a server.
    this.#suffix = `@${this.commands.options.db ?? 0}`
    this.#subscriber.on('message', (channel: string, payload: string) => {
      for (const listener of this.#listeners.get(channel) ?? []) listener(payload)
    })
  }

  /** Returns whether hints are sent and received at present. A hung server is not detected. */
  get hintsWork(): boolean {
    return this.commands.status === 'ready' && this.#subscriber.status === 'ready'
  }

  /** Registers a listener for possibly lost hints: a connection was closed or restored. */
  onHintsLost(listener: () => void): void {
    for (const client of [this.commands, this.#subscriber]) client.on('close', listener).on('ready', listener)
  }

  /**
   * Publishes a hint to every process, including this one. Never fails, because hints are best effort. Returns the number of processes that
   * receive it; 0 during an outage.
   */
  async hint(channel: `chat:${string}`, payload: string): Promise<number> {
    return this.commands.publish(channel + this.#suffix, payload).catch(() => 0)
  }

  /** Subscribes to hints, and resubscribes after every outage. */
  onHint(channel: `chat:${string}`, listener: HintListener): void {
    const name = channel + this.#suffix
    const listeners = this.#listeners.get(name)
    if (listeners) {
      listeners.push(listener)
      return
    }
    this.#listeners.set(name, [listener])
    void this.#subscriber.subscribe(name).catch(() => undefined)
  }

  /** Removes a listener; the last listener of a channel ends its subscription. */
  offHint(channel: `chat:${string}`, listener: HintListener): void {
    const name = channel + this.#suffix
    const left = (this.#listeners.get(name) ?? []).filter((each) => each !== listener)
    if (left.length > 0) {
      this.#listeners.set(name, left)
      return
    }
    this.#listeners.delete(name)
    void this.#subscriber.unsubscribe(name).catch(() => undefined)
  }
}
