import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accepted, createTestBed, log, recordOf, type TestBed, TOPIC } from '../../testing/support.ts'
import { KafkaUnavailable, RecordRejected } from '../errors.ts'
import { createKafka } from '../kafka.ts'
import { partitionFor } from '../partitioner.ts'
import { readTopic } from '../read-topic.ts'
import { createPublisher } from './publisher.ts'

let bed: TestBed
beforeAll(async () => {
  bed = await createTestBed()
})
afterAll(() => bed.remove())

describe('publisher', () => {
  it('the publisher keeps the order of each key under concurrent publishes and stores every record once', async () => {
    const publisher = createPublisher({ kafka: bed.kafka })
    const sent = Array.from({ length: 1_200 }, (_, n) => accepted(n, 2 + (n % 7)))
    const calls: Promise<void>[] = []
    for (let start = 0; start < sent.length; start += 10) {
      calls.push(publisher.publish(sent.slice(start, start + 10).map(recordOf)))
      if (start % 300 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(calls)
    await publisher.stop()

    const stored = await readTopic(bed.kafka, TOPIC)
    expect(stored).toHaveLength(sent.length)
    for (let other = 2; other < 9; other++) {
      const ids = stored
        .filter(({ key }) => key?.toString() === `1:${other}`)
        .map(({ headers }) => headers.ce_id)
      expect(ids).toEqual(sent.filter((event) => event.to_user_id === other).map((event) => event.event_id))
    }
    for (const { key, partition } of stored) expect(partition).toBe(partitionFor(key!, 3))
  })

  it('the publisher stores the event as flat JSON with CloudEvents headers', async () => {
    const publisher = createPublisher({ kafka: bed.kafka })
    const event = accepted(1, 77)
    await publisher.publish([recordOf(event)])
    await publisher.stop()
    const stored = (await readTopic(bed.kafka, TOPIC)).find(({ headers }) => headers.ce_id === event.event_id)
    expect(JSON.parse(String(stored?.value))).toEqual(event)
    expect(stored?.headers).toEqual({
      ce_specversion: '1.0',
      ce_id: event.event_id,
      ce_source: '/bigtech/kafka-test',
      ce_type: 'FriendRequestAccepted',
      ce_time: event.timestamp,
      ce_correlationid: 'request-1',
      'content-type': 'application/json',
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/),
    })
  })

  it('the publisher rejects a record that is too large and stores the others, even if only the broker detects it', async () => {
    const publisher = createPublisher({ kafka: bed.kafka, maxRecordBytes: 2_000_000 })
    const before = (await readTopic(bed.kafka, TOPIC)).length
    const small = recordOf(accepted(1, 50))
    const refused = { ...small, value: 'x'.repeat(1_200_000) }
    const refusedHere = { ...small, value: 'x'.repeat(2_100_000) }
    const outcomes = await publisher.publishEach([small, refused, refusedHere, small])
    await publisher.stop()
    expect(outcomes.map((outcome) => outcome?.constructor)).toEqual([
      undefined,
      RecordRejected,
      RecordRejected,
      undefined,
    ])
    expect((await readTopic(bed.kafka, TOPIC)).length - before).toBe(2)
  })

  it('the publisher rejects with KafkaUnavailable in bounded time when no broker responds', async () => {
    // Accepts the connection but never responds, which is worse than a refused connection.
    const silent = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const { port } = silent.address() as { port: number }
    const kafka = createKafka({ clientId: 'kafka-test', brokers: [`127.0.0.1:${port}`], log })
    const publisher = createPublisher({ kafka, timeoutMs: 500 })
    const started = performance.now()
    await expect(publisher.publish([recordOf(accepted(1))])).rejects.toBeInstanceOf(KafkaUnavailable)
    await expect(kafka.ping()).rejects.toThrow()
    expect(performance.now() - started).toBeLessThan(8_000)
    await publisher.stop()
    await kafka.close()
    silent.close()
  }, 20_000)
})
