import { http, stack } from '../e2e/stack.ts'

export const serviceNames = ['user', 'friend', 'chat', 'notification', 'analytics'] as const
export type ServiceName = (typeof serviceNames)[number]

export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: unknown
  readonly minLength?: number
  readonly maxLength?: number
  readonly format?: string
  readonly default?: unknown
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required?: boolean
  readonly schema: JsonSchema
}

/** One operation as documented by the running service. */
export interface Operation {
  readonly service: ServiceName
  readonly operationId: string
  readonly method: string
  /** `/rooms/{room_id}` */
  readonly path: string
  readonly isPublic: boolean
  readonly parameters: readonly Parameter[]
  readonly body: JsonSchema | undefined
  /** A valid body from the document. */
  readonly example: unknown
  readonly isForm: boolean
  readonly answersStream: boolean
}

interface Document {
  readonly paths: Record<string, Record<string, DocumentedOperation>>
}
interface DocumentedOperation {
  readonly operationId: string
  readonly security?: readonly unknown[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { content: Record<string, { schema: JsonSchema; example?: unknown }> }
  readonly responses: Record<string, { content?: Record<string, unknown> }>
}

/** Returns every operation of every running service, so that new endpoints are included automatically. */
export async function allOperations(): Promise<Operation[]> {
  const documents = await Promise.all(
    serviceNames.map(async (service) => {
      const { body } = await http('GET', `${stack[service]}/openapi.json`)
      return operationsOf(service, body as Document)
    }),
  )
  return documents.flat()
}

function operationsOf(service: ServiceName, document: Document): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const [bodyType, body] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
      return {
        service,
        operationId: operation.operationId,
        method: method.toUpperCase(),
        path,
        isPublic: operation.security?.length === 0,
        parameters: operation.parameters ?? [],
        body: body?.schema,
        example: body?.example,
        isForm: bodyType === 'application/x-www-form-urlencoded',
        answersStream: Object.values(operation.responses).some(
          ({ content }) => content && 'text/event-stream' in content,
        ),
      }
    }),
  )
}

/** Returns whether an operation ends the calling session, which cannot be used afterwards. */
export function endsSession({ operationId }: Pick<Operation, 'operationId'>): boolean {
  return ['logout', 'logoutAll', 'deleteMyAccount', 'changePassword', 'revokeSession'].includes(operationId)
}

export type Values = Readonly<Record<string, string | number>>

/** Returns the URL with path and query filled in. */
export function urlOf(operation: Operation, params: Values = {}, query: Values = {}): string {
  const path = operation.path.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = params[name]
    if (value === undefined) throw new Error(`${operation.operationId}: the row gives no ${name}`)
    return encodeURIComponent(String(value))
  })
  const text = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  )
  return `${stack[operation.service]}${path}${text.size > 0 ? `?${text}` : ''}`
}
