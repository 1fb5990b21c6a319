import type { z } from 'zod'
import type { RouteContract } from '../../packages/contracts/src/index.ts'
import { jsonSchemaOf } from '../../packages/service-kit/src/json-schema.ts'
import { gatewayContracts } from './openapi.ts'

const folder = 'docs/api/bruno'
const indent = (text: string) => text.replaceAll(/^/gm, '  ')
const block = (name: string, lines: string) => `${name} {\n${indent(lines)}\n}\n`

/** Returns a Bruno collection: one request per operation of the gateway, by path of its file. */
export function brunoCollection(): Record<string, () => string> {
  const requests = gatewayContracts().map((contract, index): [string, () => string] => [
    `${folder}/${contract.tag}/${contract.operationId}.bru`,
    () => requestOf(contract, index + 1),
  ])
  return {
    [`${folder}/bruno.json`]: () =>
      `${JSON.stringify({ version: '1', name: 'BigTech Chat', type: 'collection' }, null, 2)}\n`,
    [`${folder}/collection.bru`]: () =>
      [
        block('auth', 'mode: bearer'),
        block('auth:bearer', 'token: {{access_token}}'),
        block('docs', 'Run "Sign in" first: it stores the access token for all other requests.'),
      ].join('\n'),
    [`${folder}/environments/local.bru`]: () => block('vars', 'base: http://localhost:8000/api'),
    ...Object.fromEntries(requests),
  }
}

function requestOf(contract: RouteContract, seq: number): string {
  const {
    method,
    path,
    summary,
    description,
    auth = 'bearer',
    body,
    bodyType = 'json',
    bodyExample,
  } = contract
  const isForm = bodyType === 'form'
  const kind = body === undefined ? 'none' : isForm ? 'formUrlEncoded' : 'json'
  const target = `url: {{base}}${path}\nbody: ${kind}\nauth: ${auth === 'public' ? 'none' : 'inherit'}`
  return [
    block('meta', `name: ${summary}\ntype: http\nseq: ${seq}`),
    block(method.toLowerCase(), target),
    parametersOf('params:query', contract.query, '~'),
    parametersOf('params:path', contract.params, ''),
    body === undefined
      ? ''
      : isForm
        ? formOf(bodyExample)
        : block('body:json', JSON.stringify(bodyExample, null, 2)),
    contract.operationId === 'loginWithJson' ? signIn : '',
    description ? block('docs', description) : '',
  ]
    .filter(Boolean)
    .join('\n')
}

const signIn = block('script:post-response', "bru.setVar('access_token', res.body.access_token)")

function formOf(example: unknown): string {
  const lines = Object.entries(example as Record<string, string>).map(([name, value]) => `${name}: ${value}`)
  return block('body:form-urlencoded', lines.join('\n'))
}

/** Formats parameters; `mark` is `~` for disabled ones. */
function parametersOf(name: string, schema: z.ZodObject | undefined, mark: string): string {
  const fields = Object.entries(schema?.shape ?? {})
  if (fields.length === 0) return ''
  const lines = fields.map(([field, type]) => {
    const {
      examples,
      default: preset,
      enum: values,
    } = jsonSchemaOf(type as z.ZodType, 'input') as {
      examples?: unknown[]
      default?: unknown
      enum?: unknown[]
    }
    return `${mark}${field}: ${examples?.[0] ?? preset ?? values?.[0] ?? ''}`
  })
  return block(name, lines.join('\n'))
}
