import type { JsonSchema, Operation, Values } from '../operations.ts'
import type { Request } from './row.ts'

/** A request with one invalid part, and the field that the response must name. */
export interface WrongRequest {
  readonly field: string
  readonly request: Request
}

/** Returns every way to invalidate one part of a valid request according to the operation's document. */
export function wrongRequests(operation: Operation, valid: Request): WrongRequest[] {
  return [
    ...wrongParams(operation, valid),
    ...wrongQueries(operation, valid),
    ...wrongBodies(operation, valid),
  ]
}

function wrongParams(operation: Operation, valid: Request): WrongRequest[] {
  return operation.parameters
    .filter((parameter) => parameter.in === 'path')
    .map(({ name }) => ({
      field: name,
      // Neither a number, a UUID, a message id, an emoji, nor long enough for a token.
      request: { ...valid, params: { ...valid.params, [name]: 'x' } },
    }))
}

function wrongQueries(operation: Operation, valid: Request): WrongRequest[] {
  return operation.parameters
    .filter((parameter) => parameter.in === 'query')
    .flatMap((parameter) => {
      const { name, schema, required } = parameter
      const value = wrongQueryValue(schema)
      const replaced = value === undefined ? [] : [{ ...valid.query, [name]: value }]
      const queries: Values[] = required ? [...replaced, without(valid.query, name)] : replaced
      return queries.map((query) => ({ field: name, request: { ...valid, query } }))
    })
}

function wrongQueryValue(schema: JsonSchema): string | undefined {
  if (schema.type === 'string' && schema.enum === undefined && schema.format === undefined) {
    return schema.maxLength === undefined ? undefined : 'x'.repeat(schema.maxLength + 1)
  }
  return 'x'
}

function wrongBodies(operation: Operation, valid: Request): WrongRequest[] {
  const schema = operation.body
  if (!schema?.properties) return []
  const body = valid.body as Record<string, unknown>
  const wrongs = Object.entries(schema.properties)
    // A form has only strings, and every string is a valid one.
    .filter(() => !operation.isForm)
    .map(([name, property]) => ({ field: name, body: { ...body, [name]: wrongValue(property) } }))
  const missing = (schema.required ?? []).map((name) => ({ field: name, body: without(body, name) }))
  const unknown = operation.isForm ? [] : [{ field: 'no_such_field', body: { ...body, no_such_field: 1 } }]
  const notObject = operation.isForm ? [] : [{ field: 'body', body: ['x'] }]
  return [...wrongs, ...missing, ...unknown, ...notObject].map(({ field, body }) => ({
    field,
    request: { ...valid, body },
  }))
}

/** No property of ours is a list of lists. */
function wrongValue(schema: JsonSchema): unknown {
  const types = [schema, ...(schema.anyOf ?? [])].flatMap(({ type }) => type ?? [])
  return types.includes('array') ? 'x' : [[]]
}

function without<Value>(object: Readonly<Record<string, Value>> | undefined, name: string) {
  return Object.fromEntries(Object.entries(object ?? {}).filter(([key]) => key !== name)) as Record<
    string,
    Value
  >
}
