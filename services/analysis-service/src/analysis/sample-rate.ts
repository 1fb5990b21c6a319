/** Samples a second of everything that is analyzed. */
export const SAMPLE_RATE = 16_000
