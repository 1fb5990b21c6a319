/** Sample rate of all analyzed audio in Hz. */
export const SAMPLE_RATE = 16_000
