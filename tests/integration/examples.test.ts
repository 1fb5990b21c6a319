import { uniqueName } from '@bigtech/testkit'
import { beforeAll, describe, expect, it } from 'vitest'
import { http, newPerson, type Person, stack } from '../e2e/stack.ts'
import { allOperations, type Operation, type Parameter } from './operations.ts'

const operations = (await allOperations()).filter(({ example }) => example !== undefined)
let caller: Person

beforeAll(async () => {
  caller = await newPerson()
})

/** Returns the documented example of a parameter, or a value of its type. */
function exampleOf({ name, schema }: Parameter): string {
  const [example] = (schema as { examples?: readonly unknown[] }).examples ?? []
  if (example !== undefined) return String(example)
  if (name === 'message_id') return '7:000000000042'
  return schema.format === 'uuid' ? '0194a8a0-5b00-7000-8000-000000000001' : '1'
}

function targetOf({ service, path, parameters }: Operation): string {
  const values = new Map(parameters.map((parameter) => [parameter.name, exampleOf(parameter)]))
  const filled = path.replace(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(values.get(name)!))
  const required = parameters.filter((parameter) => parameter.in === 'query' && parameter.required)
  const query = new URLSearchParams(required.map(({ name }): [string, string] => [name, values.get(name)!]))
  return `${stack[service]}${filled}${query.size > 0 ? `?${query}` : ''}`
}

/** The example, without an address that other tests sign up with. */
function bodyOf({ operationId, example }: Operation): Record<string, string> {
  const body = example as Record<string, string>
  if (operationId !== 'register') return body
  const username = uniqueName('x')
  return { ...body, email: `${username}@example.com`, username }
}

describe('the documented example of a body passes the validation of the running service', () => {
  // The password in the examples is wrong, and `logoutAll` keeps the current session.
  it.each(operations.map((operation) => [operation.operationId, operation] as const))(
    '%s',
    async (_operationId, operation) => {
      const body = bodyOf(operation)
      const answer = await http(operation.method, targetOf(operation), {
        ...(operation.isPublic ? {} : { token: caller.token }),
        ...(operation.isForm ? { form: body } : { json: body }),
      })
      // The ids in it belong to nobody: what it refers to may be missing or forbidden. A busy service returns 503 after
      // the validation, while it has too many passwords to hash.
      expect([415, 422, 500], answer.text).not.toContain(answer.status)
      expect(['BODY_NOT_JSON', 'TOKEN_INVALID', 'SESSION_REVOKED'], answer.text).not.toContain(
        answer.body?.code,
      )
    },
  )
})
