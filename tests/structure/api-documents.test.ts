import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createConfig, lint } from '@redocly/openapi-core'
import { expect, it } from 'vitest'

const file = join(import.meta.dirname, '../../packages/web-client/public/api/openapi.json')
const document = JSON.parse(readFileSync(file, 'utf8'))

it('the OpenAPI document has no fault under the strict rules of Redocly, its examples included', async () => {
  const config = await createConfig({
    extends: ['recommended-strict'],
    rules: {
      // `/rooms/direct/{user_id}` goes before `/rooms/{room_id}/leave` (OpenAPI 3.1, 4.8.8.2), and ids are digits.
      'no-ambiguous-paths': 'off',
    },
  })
  const problems = await lint({ ref: file, config })
  expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([])
})

/** Schemas of objects with properties that stand in a place of their own, not under a name. */
function unnamedShapes(node: unknown, path: string): string[] {
  if (typeof node !== 'object' || node === null) return []
  const isShape = 'properties' in node && !/^#\/components\/schemas\/\w+$/.test(path)
  const inner = Object.entries(node).flatMap(([key, value]) => unnamedShapes(value, `${path}/${key}`))
  return isShape ? [path, ...inner] : inner
}

it('every shape of the OpenAPI document has a name', () => {
  expect(unnamedShapes({ paths: document.paths, components: document.components }, '#')).toEqual([])
  for (const name of ['Message', 'Room', 'Friend', 'TokenPair', 'Problem']) {
    expect(document.components.schemas).toHaveProperty(name)
  }
})

interface Described {
  readonly requestBody?: { readonly content: object }
  readonly responses: Readonly<Record<string, { readonly content?: object }>>
}

it('every operation says what it is for, and has an example of each body, answer and problem', () => {
  for (const [path, methods] of Object.entries<Record<string, Record<string, unknown>>>(document.paths)) {
    for (const [method, operation] of Object.entries<Record<string, unknown>>(methods)) {
      const what = `${method} ${path}`
      expect(operation.summary, what).toBeTruthy()
      const { requestBody, responses } = operation as unknown as Described
      for (const { content = {} } of [requestBody ?? {}, ...Object.values(responses)]) {
        for (const media of Object.values(content)) {
          expect('example' in media || 'examples' in media, `${what} has an example`).toBe(true)
        }
      }
    }
  }
})
