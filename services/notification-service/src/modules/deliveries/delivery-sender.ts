import { setTimeout as sleep } from 'node:timers/promises'
import { untilTick } from '@bigtech/kafka'
import type { Context } from '@bigtech/service-kit'
import type { NotificationMetrics } from '../../metrics.ts'
import type { AttemptResult, DeliveryChannel } from './channel.ts'
import type { DeliveriesRepository } from './deliveries.repository.ts'
import { type Channel, type Delivery, retryDelayMs } from './delivery.ts'
import { FinishedDeliveries } from './finished-deliveries.ts'

export interface DeliverySenderDependencies {
  readonly deliveries: DeliveriesRepository
  readonly channels: Readonly<Record<Channel, DeliveryChannel>>
  readonly metrics: NotificationMetrics
  readonly log: Context['log']
  readonly now: () => number
}

/**
 * Maximum number of concurrent deliveries per channel and process. Each starts as soon as it is claimed, so
 * that no lease expires while its delivery is queued.
 */
const WINDOW: Readonly<Record<Channel, number>> = { mail: 8, push: 32 }
/** Polling interval while nothing is known to be due: bounds how late a delivery is that another process has planned and not sent. */
const POLL_MS = 5_000
/** Batching interval: polling is a round trip per channel, shared by deliveries planned or due within this time. */
const GATHER_MS = 50
const OUTAGE_PAUSE_MS = 2_000

/**
 * Sends due deliveries: claims, attempts, marks. After a crash the delivery stays pending and is retried
 * when its lease expires: at most one duplicate per crash. Channels, and deliveries within a channel, do not
 * wait for each other.
 */
export class DeliverySender {
  readonly #deps: DeliverySenderDependencies
  readonly #finished: FinishedDeliveries
  readonly #stopping = new AbortController()
  #nap = new AbortController()
  #waking: { readonly timer: NodeJS.Timeout; readonly at: number } | undefined
  #loops: Promise<void>[] = []

  constructor(dependencies: DeliverySenderDependencies) {
    this.#deps = dependencies
    this.#finished = new FinishedDeliveries(dependencies.deliveries)
  }

  start(): void {
    if (this.#loops.length === 0) this.#loops = [this.#run('mail'), this.#run('push')]
  }

  /** Polls when a planned delivery is due instead of at the next interval. */
  wake(dueInMs: number): void {
    // Found by the polls before that.
    if (dueInMs > POLL_MS) return
    const delayMs = dueInMs + GATHER_MS
    const at = performance.now() + delayMs
    // That poll finds when the next delivery is due.
    if (this.#waking && this.#waking.at <= at) return
    clearTimeout(this.#waking?.timer)
    const poll = () => {
      this.#waking = undefined
      this.#nap.abort()
      this.#nap = new AbortController()
    }
    this.#waking = { timer: setTimeout(poll, delayMs), at }
  }

  /** Finishes the deliveries in flight. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#waking?.timer)
    this.#nap.abort()
    await Promise.all(this.#loops)
  }

  /** Sends due deliveries up to the concurrency limit; returns their number. */
  async sendDue(): Promise<number> {
    const begun = await Promise.all([this.#begin('mail', WINDOW.mail), this.#begin('push', WINDOW.push)])
    const sending = begun.flatMap((each) => each.sending)
    await Promise.all(sending)
    return sending.length
  }

  async #run(channel: Channel): Promise<void> {
    const { signal } = this.#stopping
    const underWay = new Set<Promise<void>>()
    while (!signal.aborted) {
      // Renewed before the query, so that a wake-up during the query is not lost.
      const nap = this.#nap.signal
      const room = WINDOW[channel] - underWay.size
      const pauseMs = await this.#begin(channel, room).then((begun) => {
        for (const sending of begun.sending) {
          underWay.add(sending)
          void sending.finally(() => underWay.delete(sending))
        }
        if (begun.sending.length === room) return 0
        return Math.max(GATHER_MS, Math.min(begun.dueInMs, untilTick(POLL_MS)))
      }, this.#pauseAfter)
      await sleep(pauseMs, undefined, { signal: nap }).catch(() => undefined)
      // A claim is a round trip, worthwhile only for several deliveries.
      while (underWay.size > (WINDOW[channel] * 3) / 4) await Promise.race(underWay)
    }
    await Promise.all(underWay)
  }

  async #begin(channel: Channel, limit: number): Promise<{ sending: Promise<void>[]; dueInMs: number }> {
    const { deliveries, now } = this.#deps
    const { leaseId, deliveries: claimed, dueInMs } = await deliveries.claim(channel, limit, now())
    const results = claimed.length === 0 ? [] : this.#deps.channels[channel].attempt(claimed)
    const sending = claimed.map((delivery, index) =>
      this.#send(leaseId, delivery, results[index]!)
        .catch(this.#pauseAfter)
        .then(() => undefined),
    )
    return { sending, dueInMs }
  }

  readonly #pauseAfter = (err: unknown): number => {
    this.#deps.log.warn({ err }, 'deliveries wait')
    return OUTAGE_PAUSE_MS
  }

  async #send(leaseId: string, delivery: Delivery, attempt: Promise<AttemptResult>): Promise<void> {
    const result = await attempt.catch((err: unknown): AttemptResult => {
      this.#deps.log.warn({ err, delivery_id: delivery.id }, 'attempt failed')
      return { state: 'retry', error: (err as Error).name }
    })
    const { deliveries, log, now } = this.#deps
    if (result.state === 'later') {
      await deliveries.putOff(leaseId, delivery.id, new Date(result.dueAt), null, false)
      return this.wake(result.dueAt - now())
    }
    const error = result.error ?? null
    const delayMs =
      result.state === 'retry' ? retryDelayMs(delivery.channel, delivery.attempts, Math.random()) : undefined
    if (delayMs !== undefined) {
      this.#count(delivery, 'retried')
      await deliveries.putOff(leaseId, delivery.id, new Date(now() + delayMs), error, true)
      return this.wake(delayMs)
    }
    const state = result.state === 'retry' ? 'failed' : result.state
    this.#count(delivery, state)
    const fields = { delivery_id: delivery.id, kind: delivery.kind, channel: delivery.channel, state, error }
    log[state === 'failed' ? 'error' : 'info'](fields, 'delivery finished')
    await this.#finished.add(leaseId, delivery.id, state, error)
  }

  #count(delivery: Delivery, result: string): void {
    const { metrics } = this.#deps
    if (delivery.channel === 'mail') metrics.mails.inc({ template: delivery.kind, result })
    else metrics.pushes.inc({ result })
  }
}
