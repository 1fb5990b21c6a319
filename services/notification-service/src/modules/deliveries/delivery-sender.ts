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

/** All of a batch is begun at once, so that no lease runs out while its delivery waits for its turn. */
const BATCH = 8
const POLL_MS = 300
const OUTAGE_PAUSE_MS = 2_000

/**
 * Sends what is due: claims, tries, marks. A crash in between leaves the delivery pending, and it is
 * tried again when its lease is over: at most one duplicate for each crash, and none without one.
 */
export class DeliverySender {
  readonly #deps: DeliverySenderDependencies
  readonly #stopping = new AbortController()
  #loop: Promise<void> | undefined

  constructor(dependencies: DeliverySenderDependencies) {
    this.#deps = dependencies
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  /** Finishes the batch in hand. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }

  /** Sends one batch; returns how many deliveries were due. */
  async sendDue(): Promise<number> {
    const { deliveries, now } = this.#deps
    const { leaseId, deliveries: claimed } = await deliveries.claim(BATCH, now())
    await Promise.all(claimed.map((delivery) => this.#send(leaseId, delivery)))
    return claimed.length
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const pauseMs = await this.sendDue().then(
        (sent) => (sent === BATCH ? 0 : POLL_MS),
        (err: unknown) => {
          this.#deps.log.warn({ err }, 'deliveries wait')
          return OUTAGE_PAUSE_MS
        },
      )
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
    }
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
