import { createRequire } from 'node:module'
import { sleep, untilTick } from '../timing.ts'

interface Connection {
  readonly socket?: { destroy(): void }
  isConnected(): boolean
  rejectRequests(error: Error): void
}

interface ConsumerGroup {
  maxWaitTime: number
  readonly groupId: string
  configuredWaitMs?: number
  isStopping?: boolean
  /** By broker: the records that have arrived since a time of `performance`. */
  arrivals?: Map<number, { readonly since: number; records: number }>
  /** By broker: when the next fetch may start, in the time of `performance`. */
  restingUntil?: Map<number, number>
  rest?: AbortController
  readonly subscriptionState: { paused(): readonly unknown[] }
  readonly cluster: {
    /** The client fetches over the second connection to each broker. */
    readonly brokerPool: {
      metadataExpireAt: number | null
      readonly brokers: Readonly<Record<string, { connectionPool: { pool: [Connection, Connection] } }>>
    }
  }
}

interface Runner {
  readonly consumerGroup: ConsumerGroup
}

interface Method<This, Arguments extends unknown[], Result> {
  prototype: Record<string, (this: This, ...args: Arguments) => Promise<Result>>
}

interface FetchedBatch {
  readonly topic: string
  readonly partition: number
  /** A decimal number. */
  readonly highWatermark: string
  readonly messages: readonly unknown[]
}

interface FetchFollower {
  readonly gatherMs: number
  readonly onEnd: ((topic: string, partition: number, end: number) => void) | undefined
}

class FetchInterrupted extends Error {}

const PATCHED = 'fetchPatched'
/** Bounds the delay of a resumed partition, which is not part of the fetch in flight. */
const WAIT_WHILE_PAUSED_MS = 1_000
const INTERRUPT_EVERY_MS = 20
/** As many records within the time of gathering, with one fetch or several, tell that more are coming. */
const SEVERAL_RECORDS = 4

const followers = new Map<string, FetchFollower>()

/**
 * Makes the consumers of a group in this process rest for `gatherMs` when several records have arrived within it, so that the next fetch brings more, and
 * reports the end of each fetched partition to `onEnd`. Returns a function that ends both.
 */
export function followFetches(groupId: string, follower: FetchFollower): () => void {
  followers.set(groupId, follower)
  return () => {
    if (followers.get(groupId) === follower) followers.delete(groupId)
  }
}

/**
 * Patches kafkajs so that a fetch may wait long for records: a consumer stops without waiting for its last fetch, and
 * fetches wait shortly while a partition is paused, and a failed fetch is followed by fresh metadata. Also implements `followFetches`: kafkajs takes the batches of all partitions and brokers in
 * one queue, so a wait there would be one per partition. Must run before the first consumer is created.
 */
export function patchFetch(): void {
  const require = createRequire(import.meta.url)
  const { prototype: group } = require('kafkajs/src/consumer/consumerGroup') as Method<
    ConsumerGroup,
    [nodeId: number],
    readonly FetchedBatch[]
  >
  const { prototype: runner } = require('kafkajs/src/consumer/runner') as Method<Runner, [], void>
  const { fetch } = group
  const { stop } = runner
  if (!fetch || !stop) throw new Error('kafkajs has changed its consumer: revise fetch-patch.ts')
  if (fetch.name === PATCHED) return
  group.fetch = async function fetchPatched(nodeId) {
    await rest(this, nodeId)
    if (this.isStopping) return []
    this.configuredWaitMs ??= this.maxWaitTime
    const isPaused = this.subscriptionState.paused().length > 0
    // The fetches of all consumers of the process end together.
    this.maxWaitTime = isPaused
      ? Math.min(WAIT_WHILE_PAUSED_MS, this.configuredWaitMs)
      : untilTick(this.configuredWaitMs, this.configuredWaitMs)
    try {
      const batches = await fetch.call(this, nodeId)
      noteRecords(this, nodeId, batches)
      reportEnds(this, batches)
      return batches
    } catch (error) {
      if (error instanceof FetchInterrupted) return []
      // The leader may be another one by now, also when the client does not see it (a timeout).
      this.cluster.brokerPool.metadataExpireAt = null
      throw error
    }
  }
  runner.stop = async function stopPatched() {
    const stopped = stop.call(this)
    interruptFetches(this.consumerGroup)
    // A fetch that was being prepared is sent after the interruption, over the destroyed socket.
    const repeat = setInterval(() => interruptFetches(this.consumerGroup), INTERRUPT_EVERY_MS)
    await stopped.finally(() => clearInterval(repeat))
  }
}

async function rest(group: ConsumerGroup, nodeId: number): Promise<void> {
  const restMs = (group.restingUntil?.get(nodeId) ?? 0) - performance.now()
  if (restMs <= 0) return
  group.rest ??= new AbortController()
  await sleep(restMs, group.rest.signal)
}

function noteRecords(group: ConsumerGroup, nodeId: number, batches: readonly FetchedBatch[]): void {
  const gatherMs = followers.get(group.groupId)?.gatherMs ?? 0
  if (gatherMs === 0) return
  const now = performance.now()
  group.arrivals ??= new Map()
  const last = group.arrivals.get(nodeId)
  const arrivals = last && now - last.since <= gatherMs ? last : { since: now, records: 0 }
  arrivals.records += batches.reduce((sum, { messages }) => sum + messages.length, 0)
  group.arrivals.set(nodeId, arrivals)
  if (arrivals.records < SEVERAL_RECORDS) return
  group.restingUntil ??= new Map()
  group.restingUntil.set(nodeId, now + gatherMs)
}

function reportEnds(group: ConsumerGroup, batches: readonly FetchedBatch[]): void {
  const onEnd = followers.get(group.groupId)?.onEnd
  if (!onEnd) return
  for (const { topic, partition, highWatermark } of batches) onEnd(topic, partition, Number(highWatermark))
}

function interruptFetches(group: ConsumerGroup): void {
  group.isStopping = true
  group.maxWaitTime = 0
  group.rest?.abort()
  for (const { connectionPool } of Object.values(group.cluster.brokerPool.brokers)) {
    const connection = connectionPool.pool[1]
    // Destroying a socket that connects would leave its fetch without an end.
    if (!connection.isConnected()) continue
    connection.rejectRequests(new FetchInterrupted('the consumer stops'))
    // The response would have no request.
    connection.socket?.destroy()
  }
}
