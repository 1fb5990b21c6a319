import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '@bigtech/service-kit'
import type { NotificationMetrics } from '../../metrics.ts'
import type { AttemptResult, DeliveryChannel } from './channel.ts'
import type { DeliveriesRepository } from './deliveries.repository.ts'
import { type Channel, type Delivery, retryDelayMs } from './delivery.ts'

export interface DeliverySenderDependencies {
  readonly deliveries: DeliveriesRepository
  readonly channels: Readonly<Record<Channel, DeliveryChannel>>
  readonly metrics: NotificationMetrics
  readonly log: Context['log']
  readonly now: () => number
}

/**
 * So many of a channel are under way at once in each process. Each is begun as soon as it is claimed, so that
 * no lease runs out while its delivery waits for its turn.
 */
const WINDOW: Readonly<Record<Channel, number>> = { mail: 8, push: 32 }
/** At rest; `wake` shortens it. */
const POLL_MS = 1_000
/** A look is a round trip for each channel: what is planned within so long shares one. */
const GATHER_MS = 50
const OUTAGE_PAUSE_MS = 2_000

/**
 * Sends what is due: claims, tries, marks. A crash in between leaves the delivery pending, and it is
 * tried again when its lease is over: at most one duplicate for each crash, and none without one.
 * The channels do not wait for each other, nor one delivery for another that takes long.
 */
export class DeliverySender {
  readonly #deps: DeliverySenderDependencies
  readonly #stopping = new AbortController()
  #nap = new AbortController()
  #waking: NodeJS.Timeout | undefined
  #loops: Promise<void>[] = []

  constructor(dependencies: DeliverySenderDependencies) {
    this.#deps = dependencies
  }

  start(): void {
    if (this.#loops.length === 0) this.#loops = [this.#run('mail'), this.#run('push')]
  }

  /** Looks soon for what is due, instead of at the next turn. */
  wake(): void {
    this.#waking ??= setTimeout(() => {
      this.#waking = undefined
      this.#nap.abort()
      this.#nap = new AbortController()
    }, GATHER_MS)
  }

  /** Finishes what is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#waking)
    this.#nap.abort()
    await Promise.all(this.#loops)
  }

  /** Sends what is due now, as far as it fits at once; returns how many deliveries that were. */
  async sendDue(): Promise<number> {
    const begun = await Promise.all([this.#begin('mail', WINDOW.mail), this.#begin('push', WINDOW.push)])
    const sending = begun.flat()
    await Promise.all(sending)
    return sending.length
  }

  async #run(channel: Channel): Promise<void> {
    const { signal } = this.#stopping
    const underWay = new Set<Promise<void>>()
    while (!signal.aborted) {
      // Before the look: a wake-up that comes while it is under way must not be lost.
      const nap = this.#nap.signal
      const room = WINDOW[channel] - underWay.size
      const pauseMs = await this.#begin(channel, room).then((begun) => {
        for (const sending of begun) {
          underWay.add(sending)
          void sending.finally(() => underWay.delete(sending))
        }
        return begun.length === room ? 0 : POLL_MS
      }, this.#pauseAfter)
      await sleep(pauseMs, undefined, { signal: nap }).catch(() => undefined)
      // A claim is a round trip: worth it for several at a time.
      while (underWay.size > (WINDOW[channel] * 3) / 4) await Promise.race(underWay)
    }
    await Promise.all(underWay)
  }

  async #begin(channel: Channel, limit: number): Promise<Promise<void>[]> {
    const { deliveries, now } = this.#deps
    const { leaseId, deliveries: claimed } = await deliveries.claim(channel, limit, now())
    return claimed.map((delivery) =>
      this.#send(leaseId, delivery)
        .catch(this.#pauseAfter)
        .then(() => undefined),
    )
  }

  readonly #pauseAfter = (err: unknown): number => {
    this.#deps.log.warn({ err }, 'deliveries wait')
    return OUTAGE_PAUSE_MS
  }

  async #send(leaseId: string, delivery: Delivery): Promise<void> {
    const result = await this.#attempt(delivery)
    const { deliveries, log, now } = this.#deps
    if (result.state === 'later') {
      return deliveries.putOff(leaseId, delivery.id, new Date(result.dueAt), null, false)
    }
    const error = result.error ?? null
    const delayMs =
      result.state === 'retry' ? retryDelayMs(delivery.channel, delivery.attempts, Math.random()) : undefined
    if (delayMs !== undefined) {
      this.#count(delivery, 'retried')
      return deliveries.putOff(leaseId, delivery.id, new Date(now() + delayMs), error, true)
    }
    const state = result.state === 'retry' ? 'failed' : result.state
    this.#count(delivery, state)
    const fields = { delivery_id: delivery.id, kind: delivery.kind, channel: delivery.channel, state, error }
    log[state === 'failed' ? 'error' : 'info'](fields, 'delivery finished')
    await deliveries.finish(leaseId, delivery.id, state, error)
  }

  async #attempt(delivery: Delivery): Promise<AttemptResult> {
    try {
      return await this.#deps.channels[delivery.channel].attempt(delivery)
    } catch (err) {
      this.#deps.log.warn({ err, delivery_id: delivery.id }, 'attempt failed')
      return { state: 'retry', error: (err as Error).name }
    }
  }

  #count(delivery: Delivery, result: string): void {
    const { metrics } = this.#deps
    if (delivery.channel === 'mail') metrics.mails.inc({ template: delivery.kind, result })
    else metrics.pushes.inc({ result })
  }
}
