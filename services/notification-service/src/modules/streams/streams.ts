/** Time without a heartbeat after which a stream counts as closed. */
export const STREAM_EXPIRY_MS = 60_000
