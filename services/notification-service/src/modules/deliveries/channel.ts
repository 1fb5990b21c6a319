import type { Delivery, DeliveryState } from './delivery.ts'

/** What became of an attempt. `retry` comes back later, until the attempts are used up. */
export type AttemptResult =
  | { readonly state: Exclude<DeliveryState, 'pending'>; readonly error?: string }
  | { readonly state: 'retry'; readonly error: string }
  | { readonly state: 'later'; readonly dueAt: number }

/** A way to reach people. */
export interface DeliveryChannel {
  attempt(delivery: Delivery): Promise<AttemptResult>
}
