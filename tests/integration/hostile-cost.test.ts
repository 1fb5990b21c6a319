import { beforeAll, expect, it } from 'vitest'
import { newPerson, type Person, stack } from '../e2e/stack.ts'
import {
  allOperations,
  endsSession,
  type JsonSchema,
  type Operation,
  type ServiceName,
} from './operations.ts'

const BODY_BYTES = 240 * 1024
const PATH_BYTES = 6 * 1024
/** Length of texts without a limit in their schema. */
const DEFAULT_LENGTH = 1_000
/** Maximum cost of one input. */
const MAX_DELAY_MS = 50
/** A pause caused by the machine or the garbage collector does not repeat on every try. */
const TRIES = 5

const operations = await allOperations()
let caller: Person

beforeAll(async () => {
  caller = await newPerson()
})

const filled = (unit: string, bytes: number) => unit.repeat(Math.floor(bytes / Buffer.byteLength(unit)))
const characters = (unit: string, count: number) => [...filled(unit, count * 8)].slice(0, count).join('')
/** Each is slow for something: backtracking, normalization, segmentation or parsing. */
const hostileUnits = ['x', '1', '\u0301', '각'.normalize('NFD'), '👨\u200d', ' \n', 'a@', 'a.b/', 'ﷺ']

interface HostileRequest {
  readonly target: string
  readonly body: string | undefined
}

/** Returns the requests with each hostile text in every input of the operation; an operation without inputs has one. */
function hostileRequests(operation: Operation): HostileRequest[] {
  const requests = hostileUnits.flatMap((unit) => {
    const short = encodeURIComponent(`${filled(unit, PATH_BYTES / 6)}a`)
    const path = operation.path.replace(/\{(\w+)\}/g, short)
    const query = operation.parameters.filter(({ in: place }) => place === 'query').map(({ name }) => name)
    const longQuery = query.map((name, index) => {
      const separator = index === 0 ? '?' : '&'
      return `${separator}${name}=${short.slice(0, 1_000 - (1_000 % 9))}`
    })
    // With a valid path too, because most operations reject an invalid id first.
    const validPath = operation.path.replace(/\{(\w+)\}/g, '1')
    return [
      { target: path, body: undefined },
      {
        target: `${validPath}${longQuery.join('')}`,
        body: bodyWith(operation, () => filled(unit, BODY_BYTES / 4)),
      },
      // Not refused for its length: everything that follows the length check runs.
      {
        target: validPath,
        body: bodyWith(operation, ({ maxLength = DEFAULT_LENGTH }) => characters(unit, maxLength)),
      },
    ]
  })
  return [...new Map(requests.map((request) => [`${request.target} ${request.body}`, request])).values()]
}

/** Returns a body with a hostile text in every text field, the others as in the example. */
function bodyWith(
  { body, example, isForm, method }: Operation,
  textFor: (schema: JsonSchema) => string,
): string | undefined {
  if (!body || method === 'GET') return undefined
  const texts = Object.entries(body.properties ?? {}).filter(([, schema]) => takesText(schema))
  const fields = Object.fromEntries(texts.map(([name, schema]) => [name, textFor(schema)]))
  return isForm
    ? new URLSearchParams(fields).toString()
    : JSON.stringify({ ...(example as object), ...fields })
}

function takesText({ type, anyOf = [], enum: values }: JsonSchema): boolean {
  // A wrong choice would end the validation of a union before its texts are looked at.
  if (values) return false
  return type === 'string' || (Array.isArray(type) && type.includes('string')) || anyOf.some(takesText)
}

async function send(operation: Operation, { target, body }: HostileRequest, token: string): Promise<number> {
  const leaving = new AbortController()
  const type = operation.isForm ? 'application/x-www-form-urlencoded' : 'application/json'
  const response = await fetch(stack[operation.service] + target, {
    method: operation.method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': type }),
    },
    ...(body === undefined ? {} : { body }),
    signal: AbortSignal.any([leaving.signal, AbortSignal.timeout(10_000)]),
  })
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  if (!isStream) await response.arrayBuffer()
  leaving.abort()
  return response.status
}

/** Returns the longest pass of the event loop since the last call. */
async function longestDelayMs(service: ServiceName): Promise<number> {
  const text = await (await fetch(`${stack[service]}/metrics`)).text()
  const seconds = /^nodejs_eventloop_lag_max_seconds(?:\{[^}]*\})? (\S+)$/m.exec(text)?.[1]
  expect(seconds, `${service}-service reports the delay of its event loop`).toBeDefined()
  return Number(seconds) * 1_000
}

async function delayOf(operation: Operation, request: HostileRequest, token: string): Promise<number> {
  await longestDelayMs(operation.service)
  await send(operation, request, token)
  return longestDelayMs(operation.service)
}

it.each(operations.map((operation) => [operation.operationId, operation] as const))(
  '%s is never blocked for more than 50 ms by a hostile input, and never fails because of it',
  async (_operationId, operation) => {
    await longestDelayMs(operation.service)
    const { token } = endsSession(operation) ? await newPerson() : caller
    const requests = hostileRequests(operation)
    for (const request of requests) expect(await send(operation, request, token)).toBeLessThan(500)
    if ((await longestDelayMs(operation.service)) < MAX_DELAY_MS) return
    // Something was slow: find the request that is slow every time.
    for (const request of requests) {
      let shortest = Number.POSITIVE_INFINITY
      for (let attempt = 0; attempt < TRIES && shortest >= MAX_DELAY_MS; attempt++) {
        shortest = Math.min(shortest, await delayOf(operation, request, token))
      }
      expect(shortest, `${request.target.slice(0, 80)} ${request.body?.slice(0, 80)}`).toBeLessThan(
        MAX_DELAY_MS,
      )
    }
  },
)
