import type { DeliveriesRepository } from './deliveries.repository.ts'
import type { DeliveryState } from './delivery.ts'

interface Group {
  readonly leaseId: string
  readonly state: DeliveryState
  readonly error: string | null
  readonly ids: string[]
  readonly stored: Promise<void>
}

/** Stores finished deliveries: those of one claim that finish in the same turn of the event loop with the same result by one statement. */
export class FinishedDeliveries {
  readonly #deliveries: Pick<DeliveriesRepository, 'finish'>
  #groups = new Map<string, Group>()

  constructor(deliveries: Pick<DeliveriesRepository, 'finish'>) {
    this.#deliveries = deliveries
  }

  /** Resolves when the delivery's result is stored. */
  add(leaseId: string, id: string, state: DeliveryState, error: string | null): Promise<void> {
    const key = JSON.stringify([leaseId, state, error])
    const group = this.#groups.get(key) ?? this.#open(key, leaseId, state, error)
    group.ids.push(id)
    return group.stored
  }

  #open(key: string, leaseId: string, state: DeliveryState, error: string | null): Group {
    const ids: string[] = []
    const stored = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#groups.delete(key)
      return this.#deliveries.finish(leaseId, ids, state, error)
    })
    const group = { leaseId, state, error, ids, stored }
    this.#groups.set(key, group)
    return group
  }
}
