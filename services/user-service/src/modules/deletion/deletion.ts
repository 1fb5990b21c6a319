export type MessagePolicy = 'keep' | 'remove'

/**
 * The steps of a deletion, in no particular order except the first: `sessions` is done in the transaction
 * that starts the deletion, `profile` by this service afterwards, the others by the services of those names,
 * which confirm by event.
 */
export const deletionSteps = [
  'sessions',
  'profile',
  'friend-service',
  'chat-service',
  'notification-service',
  'analytics-service',
  'media-service',
] as const
export type DeletionStep = (typeof deletionSteps)[number]

export interface StepState {
  readonly step: string
  readonly doneAt: Date | null
}

/** `scheduled`: can be cancelled until it is due. */
export type DeletionState = 'scheduled' | 'running' | 'completed'

export interface Deletion {
  readonly id: string
  readonly userId: number
  readonly messagePolicy: MessagePolicy
  readonly state: DeletionState
  readonly requestedAt: Date
  readonly dueAt: Date
  readonly completedAt: Date | null
  readonly steps: readonly StepState[]
}

/** Kafka keeps UserDeleted for 7 days, so unconfirmed deletions are republished well before that. */
export const REANNOUNCE_AFTER_MS = 24 * 3_600_000

/** Returns the steps in display order. */
export function inOrder(steps: readonly StepState[]): StepState[] {
  const rank = (step: string) => (deletionSteps as readonly string[]).indexOf(step)
  return [...steps].sort((a, b) => rank(a.step) - rank(b.step))
}
