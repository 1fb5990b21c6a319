import { z } from 'zod'
import { postFunctionCode, preFunctionCode } from './lua.ts'

/**
 * The supported part of Kong's declarative format: every object is strict, so that an unsupported key
 * prevents the start instead of being ignored.
 */
const milliseconds = z.int().min(1)
const headerLine = z.string().regex(/^[A-Za-z0-9-]+:.+$/, 'must be `Name:value`')

const requestTermination = z.strictObject({
  name: z.literal('request-termination'),
  config: z
    .strictObject({
      status_code: z.int().min(200).max(599),
      message: z.string().optional(),
      content_type: z.string().optional(),
      body: z.string().optional(),
    })
    .refine(
      (config) => config.message === undefined || config.body === undefined,
      'has both message and body',
    ),
})

const responseTransformer = z.strictObject({
  name: z.literal('response-transformer'),
  config: z.strictObject({ add: z.strictObject({ headers: z.array(headerLine) }) }),
})

const correlationId = z.strictObject({
  name: z.literal('correlation-id'),
  config: z.strictObject({
    header_name: z.literal('x-request-id'),
    generator: z.literal('uuid'),
    echo_downstream: z.literal(true),
  }),
})

const cors = z.strictObject({
  name: z.literal('cors'),
  config: z.strictObject({
    origins: z
      .array(z.string().regex(/^https?:\/\/[A-Za-z0-9.-]+(:\d+)?$/, 'must be a plain origin, no pattern'))
      .min(1),
    methods: z.array(z.string()).min(1),
    headers: z.array(z.string()).min(1),
    exposed_headers: z.array(z.string()),
    credentials: z.boolean(),
    max_age: z.int().min(0),
  }),
})

const requestSizeLimiting = z.strictObject({
  name: z.literal('request-size-limiting'),
  config: z.strictObject({
    allowed_payload_size: z.int().min(1),
    size_unit: z.enum(['megabytes', 'kilobytes', 'bytes']),
  }),
})

const rateLimitRedis = z.strictObject({
  host: z.string(),
  port: z.int(),
  timeout: milliseconds.optional(),
  database: z.int().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  ssl: z.boolean().optional(),
  ssl_verify: z.boolean().optional(),
})

const rateLimitShape = {
  minute: z.int().min(1),
  // With a single process both policies mean counting in memory.
  policy: z.enum(['local', 'redis']),
  redis: rateLimitRedis.optional(),
  fault_tolerant: z.boolean(),
  hide_client_headers: z.literal(false),
}
const rateLimiting = z.strictObject({
  name: z.literal('rate-limiting'),
  config: z.strictObject({ ...rateLimitShape, limit_by: z.literal('ip') }),
})
const rateLimitingByToken = z.strictObject({
  name: z.literal('rate-limiting'),
  config: z.strictObject({
    ...rateLimitShape,
    limit_by: z.literal('header'),
    header_name: z.literal('authorization'),
  }),
})

const fileLog = z.strictObject({
  name: z.literal('file-log'),
  config: z.strictObject({ path: z.literal('/dev/stdout') }),
})

const preFunction = z.strictObject({
  name: z.literal('pre-function'),
  config: z.strictObject({ access: preFunctionCode('access'), log: preFunctionCode('log') }),
})

const postFunction = z.strictObject({
  name: z.literal('post-function'),
  config: z.strictObject({
    header_filter: postFunctionCode('header_filter'),
    body_filter: postFunctionCode('body_filter'),
  }),
})

const globalPlugin = z.discriminatedUnion('name', [
  correlationId,
  cors,
  requestSizeLimiting,
  rateLimiting,
  responseTransformer,
  fileLog,
  preFunction,
  postFunction,
])

/** `~*`: a case-insensitive regular expression. */
const headerPattern = z.string().startsWith('~*')

const routePath = z.string().regex(/^(\/|~\/)/, 'must begin with `/` or `~/`')

const routeShape = {
  name: z.string(),
  paths: z.array(routePath).min(1),
  regex_priority: z.int().min(0).default(0),
  // Kong prefers a route that requires a header to one with the same paths that does not.
  headers: z.strictObject({ authorization: z.tuple([headerPattern]) }).optional(),
}

const proxiedRoute = z.strictObject({
  ...routeShape,
  strip_path: z.boolean(),
  preserve_host: z.literal(false),
  request_buffering: z.boolean().default(true),
  response_buffering: z.boolean().default(true),
  plugins: z
    .array(z.discriminatedUnion('name', [rateLimitingByToken, requestSizeLimiting]))
    .max(2)
    .optional(),
})

const answeredRoute = z.strictObject({ ...routeShape, plugins: z.tuple([requestTermination]) })

const service = z.strictObject({
  name: z.string(),
  host: z.string(),
  port: z.int().min(1).max(65_535),
  protocol: z.literal('http'),
  path: z.string().startsWith('/'),
  // Here every service has one copy: there is no other to try.
  retries: z.int().min(0),
  connect_timeout: milliseconds,
  // Irrelevant here: a buffered body is sent at once, and the client's pace bounds the others.
  write_timeout: milliseconds,
  read_timeout: milliseconds,
  routes: z.array(proxiedRoute).min(1),
  plugins: z
    .array(z.discriminatedUnion('name', [rateLimiting, responseTransformer]))
    .max(2)
    .optional(),
})

export const kongDocument = z.strictObject({
  _format_version: z.literal('3.0'),
  _transform: z.literal(true),
  services: z.array(service).min(1),
  routes: z.array(answeredRoute),
  plugins: z.array(globalPlugin),
})

export type KongDocument = z.infer<typeof kongDocument>
export type KongService = KongDocument['services'][number]
export type KongRoute = KongService['routes'][number]
export type KongAnsweredRoute = KongDocument['routes'][number]
export type KongPlugin = KongDocument['plugins'][number]
export type KongTermination = z.infer<typeof requestTermination>['config']
