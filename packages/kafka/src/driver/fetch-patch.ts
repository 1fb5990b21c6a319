import { createRequire } from 'node:module'

interface Connection {
  readonly socket?: { destroy(): void }
  isConnected(): boolean
  rejectRequests(error: Error): void
}

interface ConsumerGroup {
  maxWaitTime: number
  configuredWaitMs?: number
  isStopping?: boolean
  readonly subscriptionState: { paused(): readonly unknown[] }
  readonly cluster: {
    /** The client fetches over the second connection to each broker. */
    readonly brokerPool: {
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

class FetchInterrupted extends Error {}

const PATCHED = 'fetchPatched'
/** Bounds the delay of a resumed partition, which is not part of the fetch in flight. */
const WAIT_WHILE_PAUSED_MS = 1_000
const INTERRUPT_EVERY_MS = 20

/**
 * Patches kafkajs so that a fetch may wait long for records: a consumer stops without waiting for its last fetch, and
 * fetches wait shortly while a partition is paused. Must run before the first consumer is created.
 */
export function patchFetch(): void {
  const require = createRequire(import.meta.url)
  const { prototype: group } = require('kafkajs/src/consumer/consumerGroup') as Method<
    ConsumerGroup,
    [nodeId: number],
    unknown[]
  >
  const { prototype: runner } = require('kafkajs/src/consumer/runner') as Method<Runner, [], void>
  const { fetch } = group
  const { stop } = runner
  if (!fetch || !stop) throw new Error('kafkajs has changed its consumer: revise fetch-patch.ts')
  if (fetch.name === PATCHED) return
  group.fetch = async function fetchPatched(nodeId) {
    this.configuredWaitMs ??= this.maxWaitTime
    const isPaused = this.subscriptionState.paused().length > 0
    if (!this.isStopping)
      this.maxWaitTime = isPaused
        ? Math.min(WAIT_WHILE_PAUSED_MS, this.configuredWaitMs)
        : this.configuredWaitMs
    try {
      return await fetch.call(this, nodeId)
    } catch (error) {
      if (error instanceof FetchInterrupted) return []
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

function interruptFetches(group: ConsumerGroup): void {
  group.isStopping = true
  group.maxWaitTime = 0
  for (const { connectionPool } of Object.values(group.cluster.brokerPool.brokers)) {
    const connection = connectionPool.pool[1]
    // Destroying a socket that connects would leave its fetch without an end.
    if (!connection.isConnected()) continue
    connection.rejectRequests(new FetchInterrupted('the consumer stops'))
    // The response would have no request.
    connection.socket?.destroy()
  }
}
