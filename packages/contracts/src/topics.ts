const DAY_MS = 24 * 60 * 60 * 1000
const HOUR_MS = 60 * 60 * 1000

export interface TopicConfig {
  /** Parallelism of one consumer group. */
  readonly partitions: number
  /** How long Kafka keeps records, in milliseconds. */
  readonly retentionMs: number
  /** The one service that may publish to it. */
  readonly owner: string
}

/** Every topic of the product. Its owner alone publishes to it. */
export const topics = {
  'user.events': { partitions: 3, retentionMs: 7 * DAY_MS, owner: 'user-service' },
  'user.online_status': { partitions: 6, retentionMs: HOUR_MS, owner: 'user-service' },
  'friend.events': { partitions: 3, retentionMs: 7 * DAY_MS, owner: 'friend-service' },
  'message.events': { partitions: 10, retentionMs: 7 * DAY_MS, owner: 'chat-service' },
  'chat.events': { partitions: 3, retentionMs: 7 * DAY_MS, owner: 'chat-service' },
  // Who has a stream open, repeated every 25 s: of no use after a minute, so not on `chat.events`.
  'chat.presence': { partitions: 6, retentionMs: HOUR_MS, owner: 'chat-service' },
  'notification.events': { partitions: 1, retentionMs: 7 * DAY_MS, owner: 'notification-service' },
  'analytics.events': { partitions: 1, retentionMs: 7 * DAY_MS, owner: 'analytics-service' },
  'media.events': { partitions: 3, retentionMs: 7 * DAY_MS, owner: 'media-service' },
} as const satisfies Record<string, TopicConfig>

export type Topic = keyof typeof topics

/** Dead letters are kept longer than the topics: somebody has to look at them. */
export const deadLetterTopic = { suffix: '.dlt', partitions: 1, retentionMs: 30 * DAY_MS } as const
