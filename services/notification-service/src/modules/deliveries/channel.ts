import type { Delivery, DeliveryState } from './delivery.ts'

/** The result of an attempt. `retry` schedules another one until the attempts are used up. */
export type AttemptResult =
  | { readonly state: Exclude<DeliveryState, 'pending'>; readonly error?: string }
  | { readonly state: 'retry'; readonly error: string }
  | { readonly state: 'later'; readonly dueAt: number }

/** A delivery channel. */
export interface DeliveryChannel {
  /** Attempts deliveries that were claimed together. Returns a result for each; they do not wait for each other. */
  attempt(deliveries: readonly Delivery[]): readonly Promise<AttemptResult>[]
}
