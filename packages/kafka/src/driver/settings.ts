import type { Kafka, RetryOptions } from 'kafkajs'

/** Of producers: bounds the outage after a leader failure to about 3 s, instead of 9-14 s with the defaults. */
export const METADATA_MAX_AGE_MS = 3_000
/**
 * Of consumers, which ask a leader every 2 s and refresh the metadata after any failure: bounds only how late they find new
 * partitions. Each refresh is a request of every group.
 */
export const CONSUMER_METADATA_MAX_AGE_MS = 30_000

export type NewClient = (retry: RetryOptions) => Kafka

/** Returns complete retry options: the client's defaults differ when NODE_ENV is `test`. */
export function retryOptions(retries: number, maxRetryTime = 500): RetryOptions {
  return { retries, initialRetryTime: 100, maxRetryTime, factor: 0.2, multiplier: 2 }
}
