import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as contracts from '../../packages/contracts/src/index.ts'
import {
  failureEnvelope,
  type ProblemCode,
  problemBody,
  problemCodesOf,
  problems,
  problemType,
  type RouteContract,
} from '../../packages/contracts/src/index.ts'
import { loadKongFile } from '../../packages/dev/gateway/src/kong/load.ts'
import { createRouter } from '../../packages/dev/gateway/src/kong/router.ts'
import { type Json, Shapes } from './shapes.ts'
import { tagDescriptions } from './tags.ts'
import { productVersion } from './version.ts'

const folder = import.meta.dirname
const kongFile = join(folder, '../../infrastructure/docker/kong/kong.yml')

/** Returns the operations reachable through the gateway according to kong.yml. */
export function gatewayContracts(): RouteContract[] {
  const route = createRouter(loadKongFile(kongFile))
  const isReachable = (path: string): boolean => {
    const destination = route(`/api${path}`, {})
    return destination?.kind === 'proxy' && destination.service.host !== 'web-client'
  }
  return Object.values(contracts as Record<string, unknown>)
    .filter(
      (value): value is RouteContract =>
        typeof value === 'object' && value !== null && 'operationId' in value,
    )
    .filter(({ auth, path }) => auth !== 'operator' && isReachable(path))
}

/** Returns one OpenAPI 3.1 document for the whole API, as served by the gateway. */
export function openApiDocument(): Json {
  const shapes = new Shapes()
  const paths: Record<string, Json> = {}
  const operations = gatewayContracts()
  for (const contract of operations) {
    const path = contract.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [contract.method.toLowerCase()]: operationOf(contract, shapes) }
  }
  shapes.of(problemBody, 'output', 'Problem')
  shapes.of(failureEnvelope, 'output', 'FailureEnvelope')
  return {
    openapi: '3.1.1',
    info: {
      title: 'BigTech Chat API',
      version: productVersion,
      summary: 'A messenger: accounts, friends, rooms, messages, and a real-time event stream.',
      description: readFileSync(join(folder, 'introduction.md'), 'utf8'),
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/api', description: 'The gateway that serves this document.' }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({
      name,
      description: tagDescriptions[name],
    })),
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      securitySchemes,
      schemas: Object.fromEntries(Object.entries(shapes.schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
      responses: problemResponses(operations),
    },
  }
}

const securitySchemes = {
  password: {
    type: 'oauth2',
    description: 'Sign in with an email address or username, and a password.',
    flows: { password: { tokenUrl: '/api/auth/login', scopes: {} } },
  },
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'An existing access token.',
  },
  ticket: {
    type: 'apiKey',
    in: 'query',
    name: 'ticket',
    description: 'For EventSource in browsers, which cannot send headers: created by `createStreamTicket`.',
  },
}

function operationOf(contract: RouteContract, shapes: Shapes): Json {
  const { operationId, summary, description, deprecated, tag, auth = 'bearer' } = contract
  const parameters = parametersOf(contract, shapes)
  const signedIn = [{ password: [] }, { bearer: [] }]
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description || deprecated
      ? { description: [description, endOf(contract)].filter(Boolean).join(' ') }
      : {}),
    ...(deprecated ? { deprecated: true, 'x-sunset': deprecated.sunset } : {}),
    security: auth === 'public' ? [] : auth === 'ticket' ? [...signedIn, { ticket: [] }] : signedIn,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(contract.body ? { requestBody: requestBodyOf(contract, shapes) } : {}),
    responses: { [contract.success.status]: successOf(contract, shapes), ...problemsOf(contract) },
  }
}

const endOf = ({ deprecated }: RouteContract) =>
  deprecated &&
  `Deprecated since ${deprecated.since}, gone after ${deprecated.sunset}: use ${deprecated.instead}.`

function parametersOf(contract: RouteContract, shapes: Shapes): Json[] {
  return (['params', 'query'] as const).flatMap((part) => {
    const schema = contract[part]
    if (!schema) return []
    const names = Object.keys(schema.shape)
    return names.map((name) => {
      const field = schema.shape[name] as NonNullable<RouteContract['body']>
      const { description, ...json } = shapes.of(field, 'input', `${contract.operationId}${name}`)
      return {
        name,
        in: part === 'params' ? 'path' : 'query',
        required: part === 'params' || !field.safeParse(undefined).success,
        ...(description ? { description } : {}),
        schema: json,
      }
    })
  })
}

const upperFirst = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

function requestBodyOf(contract: RouteContract, shapes: Shapes): Json {
  const body = contract.body!
  const type = contract.bodyType === 'form' ? 'application/x-www-form-urlencoded' : 'application/json'
  return {
    required: !body.safeParse(undefined).success,
    content: {
      [type]: {
        schema: shapes.of(body, 'input', `${upperFirst(contract.operationId)}Request`),
        example: contract.bodyExample,
      },
    },
  }
}

function successOf({ operationId, success }: RouteContract, shapes: Shapes): Json {
  const { description, schema, example, contentType = 'application/json' } = success
  if (!schema) return { description }
  const json = shapes.of(schema, 'output', `${upperFirst(operationId)}Response`)
  return {
    description,
    content: { [contentType]: { schema: json, ...(example === undefined ? {} : { example }) } },
  }
}

/** Returns the problems of the service and of the gateway in front of it. */
function gatewayProblems(contract: RouteContract): Map<number, readonly ProblemCode[]> {
  const codes = new Map(problemCodesOf(contract))
  codes.set(429, [...new Set([...(codes.get(429) ?? []), 'RATE_LIMITED' as const])])
  codes.set(504, ['GATEWAY_TIMEOUT'])
  return new Map([...codes].sort(([a], [b]) => a - b))
}

const responseName = (contract: RouteContract, codes: readonly ProblemCode[]) =>
  `${contract.errors === 'envelope' ? 'envelope.' : ''}${codes.join('.')}`

function problemsOf(contract: RouteContract): Json {
  return Object.fromEntries(
    [...gatewayProblems(contract)].map(([status, codes]) => [
      status,
      { $ref: `#/components/responses/${responseName(contract, codes)}` },
    ]),
  )
}

/** Returns each shared set of problems once, which keeps the document small. */
function problemResponses(operations: readonly RouteContract[]): Json {
  const named = new Map(
    operations.flatMap((contract) =>
      [...gatewayProblems(contract)].map(([status, codes]) => [
        responseName(contract, codes),
        problemResponse(contract, status, codes),
      ]),
    ),
  )
  return Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function problemResponse({ errors }: RouteContract, status: number, codes: readonly ProblemCode[]): Json {
  const isEnvelope = errors === 'envelope'
  const example = isEnvelope ? envelopeExample : problemExample
  return {
    description: codes.map((code) => `\`${code}\`: ${problems[code].title}`).join('\n\n'),
    ...(status === 429 || status === 503 ? { headers: { 'Retry-After': retryAfter } } : {}),
    content: {
      [isEnvelope ? 'application/json' : 'application/problem+json']: {
        schema: { $ref: `#/components/schemas/${isEnvelope ? 'FailureEnvelope' : 'Problem'}` },
        examples: Object.fromEntries(codes.map((code) => [code, example(code)])),
      },
    },
  }
}

const retryAfter = { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 1 }, example: 60 }

function problemExample(code: ProblemCode): Json {
  const { status, title, meaning } = problems[code]
  const errors = [{ field: 'display_name', message: 'At most 50 characters.' }]
  return {
    summary: title,
    description: meaning,
    value: {
      type: problemType(code),
      title,
      status,
      detail: code === 'VALIDATION_FAILED' ? 'display_name: At most 50 characters.' : title,
      instance: '/profile/me',
      code,
      request_id: '0199a8a0-5b00-7000-8000-000000000001',
      ...(code === 'VALIDATION_FAILED' ? { errors } : {}),
    },
  }
}

function envelopeExample(code: ProblemCode): Json {
  const { status, title, meaning } = problems[code]
  const request_id = '0199a8a0-5b00-7000-8000-000000000001'
  const errors = [{ field: 'page', message: 'A whole number from 1 to 100000.' }]
  return {
    summary: title,
    description: meaning,
    value: {
      success: false,
      message: title,
      error_code: code,
      details: { status, request_id, ...(code === 'VALIDATION_FAILED' ? { errors } : {}) },
    },
  }
}
