/** Without a sign of life for so long a stream counts as gone. */
export const STREAM_EXPIRY_MS = 60_000
