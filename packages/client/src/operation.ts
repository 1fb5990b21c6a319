declare const types: unique symbol

/** An operation of the API, with `:name` parameters in its path. */
export interface Operation<Call = unknown, Answer = unknown> {
  readonly method: string
  readonly path: string
  readonly bodyType?: 'json' | 'form'
  /** The response is passed through, because it is not JSON. */
  readonly isRaw?: boolean
  /** `public`: no authentication. */
  readonly auth?: string
  /** For the type checker only. */
  readonly [types]?: { call: Call; answer: Answer }
}

/** The input of an operation without parameters. */
export type NoInput = Record<never, never>

type Input<Schema> = Schema extends { _zod: { input: infer Value } } ? Value : undefined
type Output<Schema> = Schema extends { _zod: { output: infer Value } } ? Value : undefined

/** The input of a contract of `@bigtech/contracts`, which is also an operation. */
type ContractCall<Op> = (Op extends { params: infer Schema }
  ? { params: Input<Schema> }
  : { params?: undefined }) &
  (Op extends { query: infer Schema } ? { query?: Input<Schema> } : { query?: undefined }) &
  (Op extends { body: infer Schema } ? { body: Input<Schema> } : { body?: undefined })
type ContractAnswer<Op> = Op extends { success: { contentType: string } }
  ? Response
  : Op extends { success: { schema: infer Schema } }
    ? Output<Schema>
    : undefined

/** The input of an operation. */
export type CallOf<Op extends Operation> =
  Op extends Operation<infer Call, unknown> ? (unknown extends Call ? ContractCall<Op> : Call) : never

/** The result of an operation. */
export type AnswerOf<Op extends Operation> =
  Op extends Operation<unknown, infer Answer> ? (unknown extends Answer ? ContractAnswer<Op> : Answer) : never

/** Returns whether a response is passed through; a contract indicates this by its content type. */
export function isRaw(operation: Operation & { success?: { contentType?: string } }): boolean {
  return operation.isRaw ?? operation.success?.contentType !== undefined
}

/** Returns path and query of a call: `/rooms/7?limit=20`. Omits absent values. */
export function targetOf({ path }: Operation, input: { params?: unknown; query?: unknown }): string {
  const params = (input.params ?? {}) as Record<string, unknown>
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries((input.query ?? {}) as Record<string, unknown>)) {
    if (value !== undefined && value !== null) query.set(name, String(value))
  }
  const text = query.toString()
  const target = path.replace(/:([A-Za-z_]+)/g, (_whole, name: string) =>
    encodeURIComponent(String(params[name])),
  )
  return text ? `${target}?${text}` : target
}
