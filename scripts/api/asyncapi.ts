import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import {
  allEvents,
  eventBase,
  type StreamFrameName,
  streamFrames,
  type Topic,
  topics,
} from '../../packages/contracts/src/index.ts'
import { type Json, Shapes } from './shapes.ts'
import { productVersion } from './version.ts'

const samples = join(import.meta.dirname, '../../packages/contracts/samples')

/** What each frame of the stream tells, and what a client does about it. */
export const frameDescriptions: Readonly<Record<StreamFrameName, string>> = {
  ready: 'First frame of a resumed stream: what was missed follows. `rooms` are all rooms of the user.',
  reset: 'First frame of any other stream: fetch anew, then go on from `rooms`.',
  heartbeat: 'Every 15 s. Behind one of the heads, something was lost: fetch it with `after_seq`.',
  message: 'A new message.',
  message_updated: 'An edit, a deletion, a reaction, a pin: the whole message as it is now.',
  message_hidden: 'Deleted for oneself, on another device.',
  read: 'Positions that moved, the latest of each member.',
  typing: 'Somebody is writing, for as long as `expires_in_ms` says.',
  presence: 'Somebody came or went.',
  friend: 'A request, a friendship or a block changed.',
  lists_changed: 'These lists may be out of date: fetch them again.',
  room_added: 'You are a member now, and see its messages from here on.',
  room_updated: 'Fetch the room again. `members` when it changed who is in it.',
  room_removed: 'You are no longer a member.',
  reconnect: 'The process is about to stop: come back after this long. The stream ends.',
}

/** An AsyncAPI 3 document of the topics on Kafka and of the frames of the stream. */
export function asyncApiDocument(): Json {
  const shapes = new Shapes()
  const messages: Record<string, Json> = {}
  const channels: Record<string, Json> = {}
  const operations: Record<string, Json> = {}
  for (const topic of Object.keys(topics) as Topic[]) addTopic(topic, shapes, messages, channels, operations)
  addStream(shapes, messages, channels, operations)
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'BigTech Chat events',
      version: productVersion,
      description:
        'What services tell each other on Kafka, and what the stream tells clients. Within a version of an event only optional fields are added; readers ignore what they do not know.',
    },
    defaultContentType: 'application/json',
    servers: {
      kafka: { host: 'kafka:9092', protocol: 'kafka', description: 'Inside of the installation only.' },
      gateway: {
        host: 'localhost:8000',
        pathname: '/api',
        protocol: 'http',
        description: 'Server-Sent Events over HTTP, for signed-in users.',
      },
    },
    channels,
    operations,
    components: {
      messages,
      schemas: Object.fromEntries(Object.entries(shapes.schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
    },
  }
}

type Group = Record<string, Json>

function addTopic(topic: Topic, shapes: Shapes, messages: Group, channels: Group, operations: Group): void {
  const { partitions, retentionMs, owner } = topics[topic]
  const events = allEvents.filter((event) => event.topic === topic)
  if (events.length === 0) return
  const id = topic.replace('.', '_')
  for (const { type, version, payload } of events) {
    const shape = z.object({ ...eventBase.shape, ...(payload as unknown as z.ZodObject).shape })
    const sample = join(samples, `${type}.v${version}.json`)
    messages[`${type}_v${version}`] = {
      name: type,
      title: `${type}, version ${version}`,
      headers: { $ref: '#/components/schemas/KafkaHeaders' },
      payload: shapes.of(shape, 'output', `${type}V${version}`),
      ...(existsSync(sample) ? { examples: [{ payload: JSON.parse(readFileSync(sample, 'utf8')) }] } : {}),
    }
  }
  shapes.of(kafkaHeaders, 'output', 'KafkaHeaders')
  const names = events.map(({ type, version }) => `${type}_v${version}`)
  channels[id] = {
    address: topic,
    servers: [{ $ref: '#/servers/kafka' }],
    description: `Published by ${owner} alone.`,
    messages: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
    bindings: { kafka: { partitions, topicConfiguration: { 'retention.ms': retentionMs } } },
  }
  operations[`publish_${id}`] = {
    action: 'send',
    channel: { $ref: `#/channels/${id}` },
    summary: `${owner} publishes.`,
    messages: names.map((name) => ({ $ref: `#/channels/${id}/messages/${name}` })),
  }
}

const kafkaHeaders = z.object({
  ce_specversion: z.literal('1.0'),
  ce_id: z.uuid(),
  ce_type: z.string(),
  ce_time: z.iso.datetime(),
  ce_source: z.string().meta({ examples: ['/bigtech/chat-service'] }),
  ce_correlationid: z.string(),
  traceparent: z.string().optional(),
})

function addStream(shapes: Shapes, messages: Group, channels: Group, operations: Group): void {
  const frames = Object.entries(streamFrames) as [StreamFrameName, z.ZodType][]
  for (const [name, schema] of frames) {
    const shapeName = name.replace(/(?:^|_)(\w)/g, (_whole, letter: string) => letter.toUpperCase())
    messages[`frame_${name}`] = {
      name,
      title: `Frame ${name}`,
      summary: frameDescriptions[name],
      payload: shapes.of(schema, 'output', `${shapeName}Frame`),
    }
  }
  channels.stream = {
    address: '/stream',
    servers: [{ $ref: '#/servers/gateway' }],
    description: 'The name of a message is that of the SSE event, its payload the data.',
    messages: Object.fromEntries(
      frames.map(([name]) => [name, { $ref: `#/components/messages/frame_${name}` }]),
    ),
  }
  operations.openStream = {
    action: 'send',
    channel: { $ref: '#/channels/stream' },
    summary: 'The service sends what concerns the user who opened the stream.',
    messages: frames.map(([name]) => ({ $ref: `#/channels/stream/messages/${name}` })),
  }
}
