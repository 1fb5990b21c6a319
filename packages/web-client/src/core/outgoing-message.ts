/** A file of a message. Its bytes are kept until the message is acknowledged. */
export interface OutgoingFile {
  readonly type: 'image' | 'video' | 'voice' | 'file'
  readonly name: string
  readonly mime: string
  readonly bytes: Blob
  /** Set when its upload has begun, so that an interrupted upload can be resumed. */
  readonly fileId?: string
  /** Uploaded and examined: the message can be sent. */
  readonly isReady?: boolean
}

/** A message not yet acknowledged by the server. */
export interface OutgoingMessage {
  readonly clientMessageId: string
  readonly userId: number
  readonly roomId: number
  readonly content: string
  readonly replyTo?: string
  readonly mentions?: number[]
  readonly file?: OutgoingFile
  readonly createdAt: number
  /** The server's refusal. Sent again only on the user's request. */
  readonly refusal?: { readonly code: string; readonly detail: string }
}
