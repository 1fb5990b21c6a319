import type { Service } from '@bigtech/service-kit'
import type { Redis } from 'ioredis'

export type HintListener = (payload: string) => void

/**
 * Redis as this service uses it: short-lived keys, and hints between processes. Whatever must not be
 * lost is in a database or on Kafka; Redis may be wiped at any time. Keys and channels begin with `chat:`.
 */
export class ChatRedis {
  /** For keys. Fails within 500 ms while Redis is away. */
  readonly commands: Redis
  readonly #subscriber: Redis
  readonly #listeners = new Map<string, HintListener[]>()
  readonly #suffix: string

  /** @param commands the service's Redis client; subscriptions get a connection of their own. */
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

  /** Whether hints go out and come in at present. A server that is there and says nothing looks as if they did. */
  get hintsWork(): boolean {
    return this.commands.status === 'ready' && this.#subscriber.status === 'ready'
  }

  /** Called when hints may have been lost: a connection has ended, or one is there again. */
  onHintsLost(listener: () => void): void {
    for (const client of [this.commands, this.#subscriber]) client.on('close', listener).on('ready', listener)
  }

  /** A hint to every process, this one too. Never fails: whoever needs certainty has another way. */
  hint(channel: `chat:${string}`, payload: string): void {
    void this.commands.publish(channel + this.#suffix, payload).catch(() => undefined)
  }

  /** Listens for hints, again after every outage. */
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

  /** Stops listening; the last listener of a channel ends its subscription. */
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
