/** A message that the server has not acknowledged yet. */
export interface OutgoingMessage {
  readonly clientMessageId: string
  readonly userId: number
  readonly roomId: number
  readonly content: string
  readonly replyTo?: string
  readonly mentions?: number[]
  readonly createdAt: number
  /** Why the server refused it. Sent again only when the user says so. */
  readonly refusal?: { readonly code: string; readonly detail: string }
}
