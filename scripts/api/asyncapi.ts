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

/** Descriptions of the stream's frames and the client's reaction. */
const frameDescriptions: Readonly<Record<StreamFrameName, string>> = {
  ready: 'First frame of a resumed stream: the missed frames follow. `rooms` are all rooms of the user.',
  reset: 'First frame of any other stream: fetch the state again, then continue from `rooms`.',
  heartbeat: 'Sent every 15 s. A client behind one of the heads has missed a frame: fetch with `after_seq`.',
  message: 'A new message.',
  message_updated: 'An edit, a deletion, a reaction or a pin: the whole current message.',
  message_hidden: 'A message was deleted for its reader, on another of their devices.',
  read: 'Read positions that moved, the latest of each member.',
  typing: 'A member is typing, for the duration of `expires_in_ms`.',
  presence: 'A friend went online or offline.',
  friend: 'A request, a friendship or a block changed.',
  lists_changed: 'These lists may have changed: fetch them again.',
  room_added: 'The user joined a room and receives its messages from this position on.',
  room_updated: 'Fetch the room again. `members` is set when the membership changed.',
  room_removed: 'You are no longer a member.',
  reconnect: 'The process stops: reconnect after this delay. The stream ends.',
}

/** Returns an AsyncAPI 3 document of the Kafka topics and the frames of the stream. */
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
        "Events between services on Kafka, and the stream's frames for clients. Within a version of an event only optional fields are added; consumers ignore unknown fields.",
    },
    defaultContentType: 'application/json',
    servers: {
      kafka: { host: 'kafka:9092', protocol: 'kafka', description: 'Internal to the installation.' },
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
    description: `Published by ${owner} only.`,
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
    description: 'A message is named after its SSE event; its payload is the data.',
    messages: Object.fromEntries(
      frames.map(([name]) => [name, { $ref: `#/components/messages/frame_${name}` }]),
    ),
  }
  operations.openStream = {
    action: 'send',
    channel: { $ref: '#/channels/stream' },
    summary: 'The service sends the events of the user who opened the stream.',
    messages: frames.map(([name]) => ({ $ref: `#/channels/stream/messages/${name}` })),
  }
}
