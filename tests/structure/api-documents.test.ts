import { globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { allEvents } from '@bigtech/contracts'
import { createConfig, lint } from '@redocly/openapi-core'
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect, it, vi } from 'vitest'

// The documents are large; the time for reading them is not tested.
vi.setConfig({ testTimeout: 60_000 })

const file = join(import.meta.dirname, '../../packages/web-client/public/api/openapi.json')
const document = JSON.parse(readFileSync(file, 'utf8'))

it('the OpenAPI document and its examples pass the strict rules of Redocly', async () => {
  const config = await createConfig({
    extends: ['recommended-strict'],
    rules: {
      // `/rooms/direct/{user_id}` goes before `/rooms/{room_id}/leave` (OpenAPI 3.1, 4.8.8.2), and ids are digits.
      'no-ambiguous-paths': 'off',
      // Clients of voice practice already call `/mypage/bookmarks/`.
      'no-path-trailing-slash': 'off',
    },
  })
  const problems = await lint({ ref: file, config })
  expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([])
})

/** Returns inline object schemas with properties, which should have a name. */
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

/** A response, by reference or not. */
function resolved(response: { content?: object; $ref?: string }): { content?: object } {
  const name = response.$ref?.replace('#/components/responses/', '')
  return name === undefined ? response : document.components.responses[name]
}

interface Described {
  readonly requestBody?: { readonly content: object }
  readonly responses: Readonly<Record<string, { readonly content?: object; readonly $ref?: string }>>
}

it('every operation has a description, and an example of each body, response and problem', () => {
  for (const [path, methods] of Object.entries<Record<string, Record<string, unknown>>>(document.paths)) {
    for (const [method, operation] of Object.entries<Record<string, unknown>>(methods)) {
      const what = `${method} ${path}`
      expect(operation.summary, what).toBeTruthy()
      const { requestBody, responses } = operation as unknown as Described
      for (const { content = {} } of [requestBody ?? {}, ...Object.values(responses).map(resolved)]) {
        for (const media of Object.values(content)) {
          expect('example' in media || 'examples' in media, `${what} has an example`).toBe(true)
        }
      }
    }
  }
})

interface AsyncApiMessage {
  readonly name: string
  readonly title: string
  readonly payload: { readonly $ref: string }
}

const asyncApi = JSON.parse(readFileSync(join(file, '../asyncapi.json'), 'utf8'))

it('the AsyncAPI document is valid, and names every event and frame', () => {
  const schema = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0-without-$id.json')
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false })
  const validate = ajv.compile(schema)
  validate(asyncApi)
  expect(validate.errors).toBeNull()
  expect(unnamedShapes(asyncApi, '#')).toEqual([])
  for (const name of ['MessageSent_v1', 'UserDeleted_v1', 'frame_message', 'frame_ready']) {
    expect(asyncApi.components.messages).toHaveProperty(name)
  }
})

it('every event and frame of the AsyncAPI document has a section with its fields in the documentation', () => {
  const docs = join(import.meta.dirname, '../../docs')
  const events = readFileSync(join(docs, 'kafka/events.md'), 'utf8')
  const frames = readFileSync(join(docs, 'api/stream-frames.md'), 'utf8')
  const { messages, schemas } = asyncApi.components
  for (const [key, { name, title, payload }] of Object.entries<AsyncApiMessage>(messages)) {
    const isFrame = key.startsWith('frame_')
    const [, section] = isFrame ? frames.split(`### \`${name}\`\n`) : events.split(`### ${title}\n`)
    const fields = Object.keys(schemas[payload.$ref.split('/').at(-1)!].properties)
    const own = isFrame ? fields : fields.slice(fields.indexOf('correlation_id') + 1)
    const rows = (section ?? '').split('\n#')[0]!.matchAll(/^\| `(\w+)`/gm)
    expect(
      [...rows].map(([, field]) => field),
      key,
    ).toEqual(own)
  }
})

it('every reference of the AsyncAPI document resolves', () => {
  const references = JSON.stringify(asyncApi).matchAll(/"\$ref":"#\/([^"]+)"/g)
  let followed = 0
  for (const [, path] of references) {
    const target = path!.split('/').reduce((node, name) => node?.[name], asyncApi)
    expect(target, path).toBeTypeOf('object')
    followed++
  }
  expect(followed).toBeGreaterThan(allEvents.length)
})

it('every sample of an event matches its schema in the AsyncAPI document', () => {
  const ajv = new Ajv2020({ strict: false })
  addFormats.default(ajv)
  let samples = 0
  ajv.addSchema({ $id: 'api', components: asyncApi.components })
  for (const [name, message] of Object.entries<{
    payload: { $ref: string }
    examples?: { payload: unknown }[]
  }>(asyncApi.components.messages)) {
    for (const { payload } of message.examples ?? []) {
      const validate = ajv.compile({ $ref: `api${message.payload.$ref}` })
      validate(payload)
      expect(validate.errors, name).toBeNull()
      samples++
    }
  }
  expect(samples).toBeGreaterThanOrEqual(allEvents.length)
})

it('Bruno parses every request of the collection, which calls the operation it is named after', () => {
  const { bruToJsonV2 } = createRequire(import.meta.url)('@usebruno/lang')
  const folder = join(import.meta.dirname, '../../docs/api/bruno')
  const operations = new Map(
    Object.entries<Record<string, { operationId: string }>>(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => [operationId, `${method} {{base}}${path}`]),
    ),
  )
  const requests = globSync('*/*.bru', { cwd: folder }).filter((path) => !path.startsWith('environments'))
  const called = requests.map((path) => {
    const { http } = bruToJsonV2(readFileSync(join(folder, path), 'utf8'))
    const url = http.url.replace(/:(\w+)/g, (whole: string, name: string) =>
      whole === '://' ? whole : `{${name}}`,
    )
    return [path.replace(/^.*\/|\.bru$/g, ''), `${http.method} ${url}`] as const
  })
  expect(new Map([...called].sort())).toEqual(new Map([...operations].sort()))
})
