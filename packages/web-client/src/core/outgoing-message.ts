/** A file that goes with a message. Its bytes are kept here until the message is acknowledged. */
export interface OutgoingFile {
  readonly type: 'image' | 'video' | 'voice' | 'file'
  readonly name: string
  readonly mime: string
  readonly bytes: Blob
  /** Known once its upload has begun: what was interrupted goes on with it. */
  readonly fileId?: string
  /** Uploaded and examined: the message can be sent. */
  readonly isReady?: boolean
}

/** A message that the server has not acknowledged yet. */
export interface OutgoingMessage {
  readonly clientMessageId: string
  readonly userId: number
  readonly roomId: number
  readonly content: string
  readonly replyTo?: string
  readonly mentions?: number[]
  readonly file?: OutgoingFile
  readonly createdAt: number
  /** Why the server refused it. Sent again only when the user says so. */
  readonly refusal?: { readonly code: string; readonly detail: string }
}
