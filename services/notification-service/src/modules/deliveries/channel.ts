import type { Delivery, DeliveryState } from './delivery.ts'

/** The result of an attempt. `retry` schedules another one until the attempts are used up. */
export type AttemptResult =
  | { readonly state: Exclude<DeliveryState, 'pending'>; readonly error?: string }
  | { readonly state: 'retry'; readonly error: string }
  | { readonly state: 'later'; readonly dueAt: number }

/** A delivery channel. */
export interface DeliveryChannel {
  attempt(delivery: Delivery): Promise<AttemptResult>
}
