import {
  failureEnvelope,
  problemBody,
  problemCodesOf,
  problems,
  type RouteContract,
} from '@bigtech/contracts'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { errorPage } from './error-page.ts'
import { jsonSchemaOf } from './json-schema.ts'

type JsonObject = Record<string, unknown>

/** Serves the contracts as /openapi.json (OpenAPI 3.1) and as an interactive page at /docs. */
export async function installOpenApi(
  app: FastifyInstance,
  info: { title: string; description: string; version: string },
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info,
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
        schemas: {
          Problem: jsonSchemaOf(problemBody, 'output'),
          FailureEnvelope: jsonSchemaOf(failureEnvelope, 'output'),
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const { contract } = route.config ?? {}
      return { schema: contract ? operationOf(contract) : (schema ?? {}), url }
    },
  })
  await app.register(swaggerUi, { routePrefix: '/docs', uiConfig: { persistAuthorization: true } })
  app.get('/docs/errors', { schema: { hide: true } }, (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(errorPage()),
  )
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
}

function operationOf(contract: RouteContract): FastifySchema {
  const consumes = contract.bodyType === 'form' ? ['application/x-www-form-urlencoded'] : ['application/json']
  const operation: JsonObject = {
    operationId: contract.operationId,
    summary: contract.summary,
    ...(contract.description ? { description: contract.description } : {}),
    tags: [contract.tag],
    security: (contract.auth ?? 'bearer') === 'public' ? [] : [{ bearer: [] }],
    ...(contract.params ? { params: jsonSchemaOf(contract.params, 'input') } : {}),
    ...(contract.query ? { querystring: jsonSchemaOf(contract.query, 'input') } : {}),
    ...(contract.body
      ? {
          consumes,
          body: withExample(jsonSchemaOf(contract.body, 'input'), contract.bodyExample),
        }
      : {}),
    ...(contract.bodyType === 'multipart' ? { consumes: ['multipart/form-data'], body: uploadBody } : {}),
    response: responsesOf(contract),
  }
  return operation as FastifySchema
}

/** The common form of multipart bodies: fields before the file, which is streamed. */
const uploadBody = {
  type: 'object',
  required: ['file'],
  properties: { purpose: { type: 'string' }, file: { type: 'string', format: 'binary' } },
}

function responsesOf(contract: RouteContract): JsonObject {
  const { success } = contract
  const contentType = success.contentType ?? 'application/json'
  const response = success.schema
    ? {
        description: success.description,
        content: {
          [contentType]: {
            schema: jsonSchemaOf(success.schema, 'output'),
            ...(success.example === undefined ? {} : { example: success.example }),
          },
        },
      }
    : { description: success.description, type: 'null' }
  const responses: JsonObject = { [success.status]: response }
  const failure =
    contract.errors === 'envelope'
      ? { 'application/json': { schema: { $ref: '#/components/schemas/FailureEnvelope' } } }
      : { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  for (const [status, codes] of problemCodesOf(contract)) {
    responses[status] = {
      description: codes.map((code) => `\`${code}\`: ${problems[code].title}`).join('\n\n'),
      content: failure,
    }
  }
  return responses
}

function withExample(schema: JsonObject, example: unknown): JsonObject {
  return example === undefined ? schema : { ...schema, examples: [example] }
}
