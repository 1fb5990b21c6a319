import { z } from 'zod'
import * as contracts from '../../packages/contracts/src/index.ts'
import { jsonSchemaOf } from '../../packages/service-kit/src/json-schema.ts'

export type Json = Record<string, unknown>

const NAME = 'x-name'
const pascal = (name: string) =>
  name.replace(/(?:^|_)(\w)/g, (_whole, letter: string) => letter.toUpperCase())

/** The exported schemas of the contracts by name: `message` is `Message`. */
const exported = new Map<unknown, string>(
  Object.entries(contracts as Record<string, unknown>)
    .filter(([, value]) => value instanceof z.ZodObject)
    .map(([name, value]) => [value, name === 'problemBody' ? 'Problem' : pascal(name)]),
)

/**
 * Converts to JSON Schemas in which every object has a name: its export's, or one composed of the operation
 * and the field.
 */
export class Shapes {
  readonly schemas: Record<string, Json> = {}

  /** Returns a schema with references to named shapes; `name` is for the top-level object. */
  of(schema: z.ZodType, io: 'input' | 'output', name: string): Json {
    const tagged = jsonSchemaOf(schema, io, 'draft-2020-12', (zodSchema, json) => {
      const known = exported.get(zodSchema)
      if (known !== undefined) json[NAME] = known
    })
    return this.#named(tagged, name)
  }

  #named(node: Json, hint: string): Json {
    const { [NAME]: own, ...rest } = node
    const name = (own as string | undefined) ?? hint
    const inner: Json = { ...rest }
    for (const [key, value] of Object.entries(rest)) {
      if (key === 'properties') inner[key] = this.#properties(value as Record<string, Json>, name)
      else if (key === 'items') inner[key] = this.#named(value as Json, `${name}Item`)
      else if (key === 'anyOf' || key === 'allOf' || key === 'oneOf') {
        inner[key] = (value as Json[]).map((option) => this.#named(option, name))
      }
    }
    return inner.type === 'object' && inner.properties ? this.#reference(name, inner) : inner
  }

  #properties(properties: Record<string, Json>, parent: string): Json {
    return Object.fromEntries(
      // The items of a page are named after the page.
      Object.entries(properties).map(([name, schema]) => [
        name,
        this.#named(schema, name === 'items' ? parent : parent + pascal(name)),
      ]),
    )
  }

  /** References a shape. Input and output may differ under the same name (defaults are optional). */
  #reference(name: string, schema: Json): Json {
    const text = JSON.stringify(schema)
    const candidates = [name, `${name}Input`, `${name}Stored`]
    const free = candidates.find((each) => (JSON.stringify(this.schemas[each]) ?? text) === text)
    if (free === undefined) throw new Error(`Two shapes are named ${name}: export one under another name.`)
    this.schemas[free] = schema
    return { $ref: `#/components/schemas/${free}` }
  }
}
