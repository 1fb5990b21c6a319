import { type Topic, topics } from '../../packages/contracts/src/index.ts'
import { asyncApiDocument } from './asyncapi.ts'

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly description?: string
}
interface Message {
  readonly name: string
  readonly title: string
  readonly summary?: string
  readonly payload: { readonly $ref: string }
  readonly examples?: readonly { readonly payload: unknown }[]
}
interface AsyncApi {
  readonly channels: Readonly<
    Record<string, { readonly messages: Readonly<Record<string, { readonly $ref: string }>> }>
  >
  readonly components: {
    readonly messages: Readonly<Record<string, Message>>
    readonly schemas: Readonly<Record<string, Schema>>
  }
}

/** Every event has these fields. */
const common = new Set(['event_id', 'event_type', 'event_version', 'timestamp', 'correlation_id'])

const nameOf = (ref: string) => ref.replace(/^.*\//, '')
const code = (value: unknown) => `\`${JSON.stringify(value)}\``

/** Returns a type for readers, for example "integer[] or null". */
function typeOf(schema: Schema): string {
  const { $ref, anyOf, items, type = 'any', format } = schema
  if ($ref) return `[${nameOf($ref)}](#${nameOf($ref).toLowerCase()})`
  if (anyOf) return anyOf.map(typeOf).join(' or ')
  if (schema.enum) return schema.enum.map(code).join(' or ')
  if ('const' in schema) return code(schema.const)
  if (items) return `list of ${typeOf(items)}`
  if (typeof schema.additionalProperties === 'object') return `map of ${typeOf(schema.additionalProperties)}`
  const names = [type].flat().join(' or ')
  return format ? names.replace('string', format) : names
}

function fieldTable(
  { properties = {}, required = [] }: Schema,
  isOmitted: (name: string) => boolean,
): string {
  const rows = Object.entries(properties)
    .filter(([name]) => !isOmitted(name))
    .map(
      ([name, schema]) =>
        `| \`${name}\`${required.includes(name) ? '' : '?'} | ${typeOf(schema)} | ${schema.description ?? ''} |`,
    )
  return rows.length === 0 ? 'No further fields.' : `| field | type | |\n|---|---|---|\n${rows.join('\n')}`
}

/** Returns the names of the shapes that a schema refers to, directly or through others. */
function referenced(schemas: AsyncApi['components']['schemas'], names: readonly string[]): string[] {
  const found = new Set<string>()
  const visit = (name: string) => {
    for (const [, inner] of JSON.stringify(schemas[name]).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (found.has(inner!)) continue
      found.add(inner!)
      visit(inner!)
    }
  }
  names.forEach(visit)
  return [...found].sort()
}

function shapeSections({ components: { schemas } }: AsyncApi, messages: readonly Message[]): string {
  const names = referenced(
    schemas,
    messages.map(({ payload }) => nameOf(payload.$ref)),
  )
  return names.map((name) => `### ${name}\n\n${fieldTable(schemas[name]!, () => false)}\n`).join('\n')
}

/** Returns the messages of a channel in the document's order. */
function messagesOf(document: AsyncApi, channel: string): Message[] {
  const references = Object.values(document.channels[channel]?.messages ?? {})
  return references.map(({ $ref }) => document.components.messages[nameOf($ref)]!)
}

/** Renders the frames of the stream from the AsyncAPI document. */
export function framesPage(notice: string): string {
  const document = asyncApiDocument() as unknown as AsyncApi
  const frames = messagesOf(document, 'stream')
  const sections = frames.map(({ name, summary, payload }) => {
    const table = fieldTable(document.components.schemas[nameOf(payload.$ref)]!, () => false)
    return `### \`${name}\`\n\n${summary}\n\n${table}\n`
  })
  return `# Frames of the stream

${notice}

The name is that of the SSE event, the fields are those of its data, a JSON object. A field with \`?\` may be missing; clients
ignore unknown fields and frames. The AsyncAPI document is served at /api/asyncapi.json. Order, resuming and gaps:
[architecture/stream.md](../architecture/stream.md).

## Frames

${sections.join('\n')}
## Shapes

${shapeSections(document, frames)}`
}

/** Renders the events of each Kafka topic from the AsyncAPI document. */
export function eventsPage(notice: string): string {
  const document = asyncApiDocument() as unknown as AsyncApi
  const ids = Object.keys(topics) as Topic[]
  const all = ids.flatMap((topic) => messagesOf(document, topic.replace('.', '_')))
  const sections = ids.map((topic) => {
    const { partitions, retentionMs, owner } = topics[topic]
    const messages = messagesOf(document, topic.replace('.', '_')).map((message) =>
      eventSection(document, message),
    )
    return `## \`${topic}\`

${partitions} partitions, kept ${retentionMs / 3_600_000} h, published by ${owner} alone.

${messages.join('\n')}`
  })
  return `# Events

${notice}

Each value is flat JSON: the fields below and \`event_id\` (UUID v7), \`event_type\`, \`event_version\`,
\`timestamp\`, \`correlation_id\`. A field with \`?\` may be missing. The example of an event is its frozen sample in
packages/contracts/samples; every later schema must still read it. Headers: see README.md beside this page.

${sections.join('\n')}
## Shapes

${shapeSections(document, all)}`
}

function eventSection({ components }: AsyncApi, { title, payload, examples = [] }: Message): string {
  const table = fieldTable(components.schemas[nameOf(payload.$ref)]!, (name) => common.has(name))
  const samples = examples.map(
    ({ payload: sample }) => `\n\`\`\`json\n${JSON.stringify(sample, null, 1)}\n\`\`\`\n`,
  )
  return `### ${title}\n\n${table}\n${samples.join('')}`
}
