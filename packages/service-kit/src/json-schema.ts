import fastJsonStringify, { type AnySchema } from 'fast-json-stringify'
import { z } from 'zod'

type JsonSchema = Record<string, unknown>

/**
 * Converts a zod schema to JSON Schema.
 * @param io `input`: accepted from clients (defaults are optional); `output`: returned to clients.
 * @param target 2020-12 is the dialect of OpenAPI 3.1, draft-7 that of the serializer.
 * @param visit called with each nested zod schema and its result, which may be modified
 */
export function jsonSchemaOf(
  schema: z.ZodType,
  io: 'input' | 'output',
  target: 'draft-2020-12' | 'draft-7' = 'draft-2020-12',
  visit: (schema: unknown, json: JsonSchema) => void = () => undefined,
): JsonSchema {
  const { $schema: _dialect, ...result } = z.toJSONSchema(schema, {
    target,
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      collapseNullable(jsonSchema as JsonSchema, target)
      visit(zodSchema, jsonSchema as JsonSchema)
    },
  }) as JsonSchema
  return result
}

type Serializer = (value: unknown) => string

/** Compiled once per schema: routes share schemas, first of all that of a problem. */
const serializers = new WeakMap<z.ZodType, Serializer>()

/** Returns a serializer that writes exactly the schema's fields. Throws when a value does not match. */
export function serializerOf(schema: z.ZodType): Serializer {
  const known = serializers.get(schema)
  if (known) return known
  const serializer = fastJsonStringify(jsonSchemaOf(schema, 'output', 'draft-7') as AnySchema)
  serializers.set(schema, serializer)
  return serializer
}

/**
 * Rewrites `anyOf: [string, null]` to `type: [string, null]`: shorter, and the serializer needs no validator
 * for it. For the same reason it gets `nullable`, which is not in the API's dialect, for objects and lists.
 */
function collapseNullable(schema: JsonSchema, target: 'draft-2020-12' | 'draft-7'): void {
  const options = schema.anyOf
  if (!Array.isArray(options) || options.length !== 2) return
  const [inner, nothing] = options as [JsonSchema, JsonSchema]
  if (nothing.type !== 'null') return
  if (target === 'draft-7' && (inner.type === 'object' || inner.type === 'array')) {
    delete schema.anyOf
    Object.assign(schema, inner, { nullable: true })
    return
  }
  if (!['string', 'number', 'integer', 'boolean'].includes(String(inner.type))) return
  if ('enum' in inner || 'const' in inner) return
  delete schema.anyOf
  Object.assign(schema, inner, { type: [inner.type, 'null'] })
}
