import { deadLetterTopic } from '@bigtech/contracts'
import { deadLetterTopicOf, deadLetterHeaders as names } from './consumer/dead-letter.ts'
import type { StoredRecord } from './driver/port.ts'
import type { KafkaConnection } from './kafka.ts'
import type { Publisher } from './publisher/publisher.ts'
import { readTopic } from './read-topic.ts'
import { headerNames } from './record.ts'

/** Headers of the marker record that stores the decision about a dead letter in the dead-letter topic itself. */
const markerHeaders = {
  of: 'dlt_replay_of',
  replayedAt: 'dlt_replayed_at',
  discardedAt: 'dlt_discarded_at',
} as const

export interface DeadLetter {
  /** Position in the dead-letter topic: `partition:offset`. */
  readonly place: string
  readonly topic: string
  readonly originalPlace: string
  readonly eventId: string
  readonly eventType: string
  readonly group: string
  readonly error: string
  readonly kind: string
  readonly attempts: number
  readonly firstFailedAt: string
  readonly failedAt: string
  /** Time of the last replay; null if never replayed. */
  readonly replayedAt: string | null
  /** Time at which an operator discarded the letter; null otherwise. */
  readonly discardedAt: string | null
  readonly record: StoredRecord
}

export interface LetterFilter {
  readonly eventId?: string | undefined
  readonly place?: string | undefined
  readonly group?: string | undefined
  readonly eventType?: string | undefined
  /** Matches letters whose last failure was at or after this time. */
  readonly since?: Date | undefined
}

/** Returns the dead letters of a topic, oldest failure first. */
export async function listDeadLetters(
  kafka: KafkaConnection,
  topic: string,
  filter: LetterFilter = {},
): Promise<DeadLetter[]> {
  const records = await readTopic(kafka, deadLetterTopicOf(topic))
  const markers = new Map<string, Readonly<Record<string, string>>>()
  for (const { headers } of records) {
    const of = headers[markerHeaders.of]
    if (of !== undefined) markers.set(of, { ...markers.get(of), ...headers })
  }
  return records
    .filter(({ headers }) => headers[markerHeaders.of] === undefined)
    .map((record) => toLetter(record, topic, markers))
    .filter((letter) => matches(letter, filter))
    .sort((a, b) => a.failedAt.localeCompare(b.failedAt))
}

/** Returns the topics (without `.dlt`) that have a dead-letter topic. */
export async function deadLetterTopics(kafka: KafkaConnection): Promise<string[]> {
  const { suffix } = deadLetterTopic
  const topics = await kafka.listTopics()
  return topics
    .filter((topic) => topic.endsWith(suffix))
    .map((topic) => topic.slice(0, -suffix.length))
    .sort()
}

/**
 * Publishes a letter to its original topic as the same event: same key, value and event id, so that an
 * inbox that has applied it in the meantime skips it. Only the group that dead-lettered it handles it.
 * @throws Error when the letter has no value.
 */
export async function replayDeadLetter(publisher: Publisher, letter: DeadLetter): Promise<void> {
  const { record, topic, group } = letter
  if (record.headers[names.valueOmitted] !== undefined) {
    throw new Error(`the value was too large to keep; the record was at ${letter.originalPlace} of ${topic}`)
  }
  const original = Object.entries(record.headers).filter(([name]) => !name.startsWith('dlt_'))
  const headers = { ...Object.fromEntries(original), [headerNames.replayFor]: group }
  await publisher.publish([{ topic, key: record.key, value: record.value, headers }])
  // After the replay, not before: a crash in between leaves the letter pending, and a second replay is
  // harmless.
  await mark(publisher, letter, markerHeaders.replayedAt)
}

/** Marks a letter as discarded. The letter itself stays until the topic's retention removes it. */
export function discardDeadLetter(publisher: Publisher, letter: DeadLetter): Promise<void> {
  return mark(publisher, letter, markerHeaders.discardedAt)
}

async function mark(publisher: Publisher, { record, topic, place }: DeadLetter, as: string): Promise<void> {
  const headers = { [markerHeaders.of]: place, [as]: new Date().toISOString() }
  await publisher.publish([{ topic: deadLetterTopicOf(topic), key: record.key, value: null, headers }])
}

function toLetter(
  record: StoredRecord,
  topic: string,
  markers: ReadonlyMap<string, Readonly<Record<string, string>>>,
): DeadLetter {
  const header = (name: string) => record.headers[name] ?? ''
  const place = `${record.partition}:${record.offset}`
  return {
    place,
    topic: header(names.topic) || topic,
    originalPlace: `${header(names.partition)}:${header(names.offset)}`,
    eventId: header(headerNames.id),
    eventType: header(headerNames.type),
    group: header(names.group),
    error: header(names.error),
    kind: header(names.kind),
    attempts: Number(header(names.attempts)),
    firstFailedAt: header(names.firstFailedAt),
    failedAt: header(names.failedAt),
    replayedAt: markers.get(place)?.[markerHeaders.replayedAt] ?? null,
    discardedAt: markers.get(place)?.[markerHeaders.discardedAt] ?? null,
    record,
  }
}

function matches(letter: DeadLetter, filter: LetterFilter): boolean {
  return (
    (filter.eventId === undefined || letter.eventId === filter.eventId) &&
    (filter.place === undefined || letter.place === filter.place) &&
    (filter.group === undefined || letter.group === filter.group) &&
    (filter.eventType === undefined || letter.eventType === filter.eventType) &&
    (filter.since === undefined || new Date(letter.failedAt) >= filter.since)
  )
}
