import type { z } from 'zod'
import * as contracts from '../packages/contracts/src/index.ts'

/** A schema in zod's internal form. */
interface Node {
  readonly _zod: {
    readonly def: {
      readonly type: string
      readonly shape?: Record<string, Node>
      readonly element?: Node
      readonly innerType?: Node
      readonly in?: Node
      readonly out?: Node
      readonly valueType?: Node
      readonly options?: readonly Node[]
      readonly values?: readonly unknown[]
      readonly entries?: Record<string, string>
    }
  }
}

/** Named shapes for clients: exported schemas of complete resources. */
const named: Readonly<Record<string, z.ZodType>> = {
  Message: contracts.message,
  Attachment: contracts.message.shape.attachment.unwrap(),
  Reaction: contracts.reaction,
  ReplyPreview: contracts.replyPreview,
  Room: contracts.room,
  RoomMember: contracts.roomMember,
  RoomPerson: contracts.roomPerson,
  JoinLink: contracts.joinLink,
  Friend: contracts.friend,
  FriendRequest: contracts.friendRequest,
  PublicProfile: contracts.publicProfile,
  OwnProfile: contracts.ownProfile,
  Presence: contracts.presence,
  ReadPosition: contracts.readPosition,
  TokenPair: contracts.tokenPair,
  StoredFile: contracts.storedFile,
  RoomHead: contracts.roomHead,
}
const names = new Map(Object.entries(named).map(([name, schema]) => [schema as unknown as Node, name]))

type Side = 'input' | 'output'

/** Returns the TypeScript type of a client's input or output. */
function print(node: Node, side: Side, isDefinition = false): string {
  const name = names.get(node)
  if (name !== undefined && !isDefinition) return name
  const { def } = node._zod
  const inner = () => print(def.innerType!, side)
  switch (def.type) {
    case 'object':
      return printObject(def.shape!, side)
    case 'array': {
      const element = print(def.element!, side)
      return /[|&]/.test(element) ? `(${element})[]` : `${element}[]`
    }
    case 'enum':
      return Object.values(def.entries!)
        .map((value) => JSON.stringify(value))
        .join(' | ')
    case 'literal':
      return def.values!.map((value) => JSON.stringify(value)).join(' | ')
    case 'union':
      return def.options!.map((option) => print(option, side)).join(' | ')
    case 'nullable':
      return `${inner()} | null`
    case 'record':
      return `Record<string, ${print(def.valueType!, side)}>`
    case 'pipe':
      // Path and query text parsed into a number is passed as a number.
      return print(side === 'output' || def.in!._zod.def.type === 'transform' ? def.out! : def.in!, side)
    case 'optional':
    case 'default':
    case 'readonly':
      return inner()
    case 'string':
    case 'number':
    case 'boolean':
    case 'unknown':
      return def.type
    default:
      throw new Error(`no type for a schema of zod's kind ${def.type}`)
  }
}

function printObject(shape: Record<string, Node>, side: Side): string {
  const fields = Object.entries(shape).map(([key, field]) => {
    const isOptional = mayBeAbsent(field, side)
    const type = print(field, side)
    return `${key}${isOptional ? '?' : ''}: ${type}${isOptional ? ' | undefined' : ''}`
  })
  return `{ ${fields.join('; ')} }`
}

function mayBeAbsent({ _zod: { def } }: Node, side: Side): boolean {
  if (def.type === 'optional') return true
  if (def.type === 'default') return side === 'input'
  if (def.type !== 'pipe') return false
  return mayBeAbsent(side === 'output' || def.in!._zod.def.type === 'transform' ? def.out! : def.in!, side)
}

const isContract = (value: unknown): value is contracts.RouteContract =>
  typeof value === 'object' && value !== null && 'operationId' in value && 'path' in value

function printOperation({
  operationId,
  method,
  path,
  summary,
  ...contract
}: contracts.RouteContract): string {
  const part = (schema: unknown) => (schema ? print(schema as Node, 'input') : undefined)
  const query = part(contract.query)
  const isQueryOptional = contract.query && (contract.query as z.ZodType).safeParse({}).success
  const call = [
    ['params', part(contract.params)],
    [isQueryOptional ? 'query?' : 'query', query],
    [
      (contract.body as z.ZodType | undefined)?.safeParse(undefined).success ? 'body?' : 'body',
      part(contract.body),
    ],
  ].flatMap(([key, type]) => (type === undefined ? [] : [`${key}: ${type}`]))
  const isRaw = contract.success.contentType !== undefined
  return `/** ${summary}. */
export const ${operationId}: Operation<${call.length > 0 ? `{ ${call.join('; ')} }` : 'NoInput'}, ${
    isRaw
      ? 'Response'
      : contract.success.schema
        ? print(contract.success.schema as unknown as Node, 'output')
        : 'undefined'
  }> = { method: '${method}', path: '${path}'${contract.bodyType === 'form' ? ", bodyType: 'form'" : ''}${contract.auth === 'public' ? ", auth: 'public'" : ''}${isRaw ? ', isRaw: true' : ''} }`
}

/** Returns the operations, shapes and frames of the API as a module of types and plain descriptors, without zod. */
export function clientOperations(): string {
  const operations = Object.values<unknown>(contracts)
    .filter(isContract)
    // The operator's installation token is not available to clients.
    .filter(({ auth }) => auth !== 'operator')
    // Not JSON: the package has a separate function.
    .filter(({ bodyType }) => bodyType !== 'multipart')
  const shapes = Object.entries(named).map(
    ([name, schema]) => `export type ${name} = ${print(schema as unknown as Node, 'output', true)}`,
  )
  const frames = Object.entries(contracts.streamFrames).map(
    ([name, schema]) => `  ${name}: ${print(schema as unknown as Node, 'output')}`,
  )
  return `// Generated by \`node scripts/generate-docs.ts\` from packages/contracts. Change the contracts, then run it.
import type { NoInput, Operation } from './operation.ts'

${shapes.join('\n\n')}

${operations.map(printOperation).join('\n\n')}

/** The codes of \`ApiProblem\`; docs/errors.md says what they mean. */
export type ProblemCode =
${Object.keys(contracts.problems)
  .map((code) => `  | '${code}'`)
  .join('\n')}

/** What each frame of the stream carries. */
export interface StreamFrames {
${frames.join('\n')}
}

export const streamFrameNames = ${JSON.stringify(Object.keys(contracts.streamFrames))} as const
`
}
