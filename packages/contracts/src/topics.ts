const DAY_MS = 24 * 60 * 60 * 1000
const HOUR_MS = 60 * 60 * 1000

export interface TopicConfig {
  /** The maximum parallelism of one consumer group. */
  readonly partitions: number
  /** Retention in milliseconds. */
  readonly retentionMs: number
  /** The only service that publishes to the topic. */
  readonly owner: string
}

/** The topics of the product. Only the owner publishes to a topic. */
export const topics = {
  'user.events': { partitions: 3, retentionMs: 7 * DAY_MS, owner: 'user-service' },
  'user.online_status': { partitions: 6, retentionMs: HOUR_MS, owner: 'user-service' },
  'friend.events': { partitions: 3, retentionMs: 7 * DAY_MS, owner: 'friend-service' },
  'message.events': { partitions: 10, retentionMs: 7 * DAY_MS, owner: 'chat-service' },
  'chat.events': { partitions: 3, retentionMs: 7 * DAY_MS, owner: 'chat-service' },
  // Open streams, repeated every 25 s and useless after a minute, so not on `chat.events`.
  'chat.presence': { partitions: 6, retentionMs: HOUR_MS, owner: 'chat-service' },
  'notification.events': { partitions: 1, retentionMs: 7 * DAY_MS, owner: 'notification-service' },
  'analytics.events': { partitions: 1, retentionMs: 7 * DAY_MS, owner: 'analytics-service' },
  'media.events': { partitions: 3, retentionMs: 7 * DAY_MS, owner: 'media-service' },
} as const satisfies Record<string, TopicConfig>

export type Topic = keyof typeof topics

/** Dead letters are kept longer than the topics, because an operator has to inspect them. */
export const deadLetterTopic = { suffix: '.dlt', partitions: 1, retentionMs: 30 * DAY_MS } as const
