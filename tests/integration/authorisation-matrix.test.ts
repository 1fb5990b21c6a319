import { problems } from '@bigtech/contracts'
import { beforeAll, describe, expect, it } from 'vitest'
import { http, operatorToken } from '../e2e/stack.ts'
import { roomRows } from './matrix/chat-rows.ts'
import { friendRows } from './matrix/friend-rows.ts'
import { messageRows } from './matrix/message-rows.ts'
import { moderationRows } from './matrix/moderation-rows.ts'
import type { Answered, Expected, Made, Request, Row } from './matrix/row.ts'
import { type Role, roles, type Scene, setScene } from './matrix/scene.ts'
import { userRows } from './matrix/user-rows.ts'
import { analyticsRows, notificationRows } from './matrix/worker-rows.ts'
import { wrongRequests } from './matrix/wrong-requests.ts'
import { allOperations, type Operation, urlOf } from './operations.ts'

const rows: readonly Row[] = [
  ...roomRows,
  ...messageRows,
  ...friendRows,
  ...notificationRows,
  ...analyticsRows,
  ...userRows,
  ...moderationRows,
]
const titled = (of: readonly Row[]) =>
  of.map((row) => [row.operationId + (row.when ? `, ${row.when}` : ''), row] as const)
const firstRows = rows.filter(
  (row, index) => rows.findIndex((each) => each.operationId === row.operationId) === index,
)

let operations: ReadonlyMap<string, Operation>
let scene: Scene

beforeAll(async () => {
  operations = new Map((await allOperations()).map((operation) => [operation.operationId, operation]))
  scene = await setScene()
}, 120_000)

function operationOf({ operationId }: Row): Operation {
  const operation = operations.get(operationId)
  if (!operation) throw new Error(`No service has an operation ${operationId}.`)
  return operation
}

async function ask(operation: Operation, request: Request, token: string | undefined): Promise<Answered> {
  const url = urlOf(operation, request.params, request.query)
  if (operation.answersStream) return openAndLeave(url, token)
  const { body } = request
  return http(operation.method, url, {
    ...(token ? { token } : {}),
    ...(body === undefined
      ? {}
      : operation.isForm
        ? { form: body as Record<string, string> }
        : { json: body }),
  })
}

/** A stream does not end by itself. */
async function openAndLeave(url: string, token: string | undefined): Promise<Answered> {
  const leaving = new AbortController()
  const headers = { ...(token ? { authorization: `Bearer ${token}` } : {}) }
  const { status, body } = await fetch(url, { headers, signal: leaving.signal }).then(async (response) => ({
    status: response.status,
    body: response.ok ? undefined : await response.json(),
  }))
  leaving.abort()
  return { status, body }
}

/** Returns the status; for a refusal its code, since statuses are ambiguous. */
function met({ status, body }: Answered, expected: Expected): Expected {
  return typeof expected === 'number' ? status : (body?.code ?? status)
}

function tokenOf(role: Role, request: Request): string | undefined {
  return role === 'anonymous' ? undefined : (request.token ?? scene.people[role].token)
}

const made = new Map<Row, Made>()
/** Creates the subject of a row's requests once, also for later tests. */
async function subjectOf(row: Row): Promise<Made> {
  if (!made.has(row)) made.set(row, (await row.once?.(scene)) ?? {})
  return made.get(row)
}

/** Returns an authorized request, for requests that are invalid in other ways. */
async function rightful(row: Row): Promise<{ request: Request; token: string | undefined }> {
  const role: Role = row.table.owner === 'ACCOUNT_ROLE_REQUIRED' ? 'moderator' : 'owner'
  const subject = { ...(await subjectOf(row)), ...(await row.before?.(scene, role)) }
  const request = row.request?.(scene, role, subject) ?? {}
  const isOperators = row.table.owner === 'TOKEN_INVALID'
  return { request, token: isOperators ? operatorToken : tokenOf(role, request) }
}

const provers = new Set<Expected>([
  'LINK_INVALID',
  'CHALLENGE_INVALID',
  'SECOND_FACTOR_WRONG',
  'TOTP_NOT_ENABLED',
  'PASSKEY_NOT_FOUND',
])

describe('the authorization matrix', () => {
  it('the authorization matrix covers every operation of every service', () => {
    expect([...new Set(rows.map(({ operationId }) => operationId))].sort()).toEqual(
      [...operations.keys()].sort(),
    )
    for (const operation of operations.values()) {
      const own = rows.filter(({ operationId }) => operationId === operation.operationId)
      if (!operation.isPublic) for (const { table } of own) expect(table.anonymous).toBe('NOT_AUTHENTICATED')
      // A refusal for every role would guarantee nothing.
      const isOperators = own.every(({ table }) => table.owner === 'TOKEN_INVALID')
      // Operations that require a link, a challenge or a second factor are tested in user-service.
      const isByProof = own.every(({ table }) => provers.has(table.owner))
      if (!isOperators && !isByProof) {
        const isAllowed = own.some(({ table }) =>
          Object.values(table).some((each) => typeof each === 'number'),
        )
        expect(isAllowed, `${operation.operationId} is allowed to somebody`).toBe(true)
      }
    }
  })

  it.each(titled(rows))('%s', async (_title, row) => {
    const operation = operationOf(row)
    const shared = await subjectOf(row)
    const callers = row.callers ?? roles
    const seen: Partial<Record<Role, Expected>> = {}
    for (const role of callers) {
      const subject = { ...shared, ...(await row.before?.(scene, role)) }
      const request = row.request?.(scene, role, subject) ?? {}
      const answer = await ask(operation, request, tokenOf(role, request))
      seen[role] = met(answer, row.table[role])
      if (typeof row.table[role] === 'string') expect(answer.status).toBe(problems[row.table[role]].status)
      else if (role !== 'anonymous') row.check?.(answer, scene, role)
    }
    expect(seen).toEqual(Object.fromEntries(callers.map((role) => [role, row.table[role]])))
  })

  it.each(titled(analyticsRows))('%s, by an operator', async (_title, row) => {
    const { request } = await rightful(row)
    expect((await ask(operationOf(row), request, operatorToken)).status).toBe(200)
  })
})

describe('what is not there', () => {
  const nothing: Record<string, string | number> = {
    message_id: 'see below',
    token: 'a-token-that-nobody-made',
    session_id: '0194a8a0-5b00-7000-8000-000000000000',
    deletion_id: '0194a8a0-5b00-4000-8000-000000000000',
    registration_id: '0194a8a0-5b00-4000-8000-000000000000',
    subscription_id: '0194a8a0-5b00-7000-8000-000000000000',
    passkey_id: '0194a8a0-5b00-7000-8000-000000000000',
  }
  const codes: Record<string, Expected> = {
    room_id: 'ROOM_NOT_FOUND',
    message_id: 'MESSAGE_NOT_FOUND',
    user_id: 'USER_NOT_FOUND',
    id: 'FRIEND_REQUEST_NOT_FOUND',
    link_id: 'JOIN_LINK_INVALID',
    token: 'JOIN_LINK_INVALID',
    session_id: 'SESSION_NOT_FOUND',
    deletion_id: 'DELETION_NOT_FOUND',
    registration_id: 'REGISTRATION_NOT_FOUND',
    subscription_id: 'SUBSCRIPTION_NOT_FOUND',
    passkey_id: 'PASSKEY_NOT_FOUND',
    report_id: 'REPORT_NOT_FOUND',
    notice_id: 'NOTICE_NOT_FOUND',
  }

  it.each(titled(firstRows))('%s', async (_title, row) => {
    const operation = operationOf(row)
    const names = operation.parameters.filter((each) => each.in === 'path').map(({ name }) => name)
    for (const name of names.filter((each) => each !== 'emoji' && row.missing?.[each] !== null)) {
      const { request, token } = await rightful(row)
      const value = name === 'message_id' ? `${scene.room}:000000987654` : (nothing[name] ?? 987_654_321)
      const params = { ...request.params, [name]: value }
      const answer = await ask(operation, { ...request, params }, token)
      expect(answer.body?.code, `${name}: ${answer.status}`).toBe(row.missing?.[name] ?? codes[name])
    }
  })
})

describe('what is not valid is refused, and the field named', () => {
  it.each(titled(firstRows))('%s', async (_title, row) => {
    const operation = operationOf(row)
    const { request: valid, token } = await rightful(row)
    for (const { field, request } of wrongRequests(operation, valid)) {
      const answer = await ask(operation, request, token)
      const fields = answer.body?.errors?.map((error: { field: string }) => error.field.split('.')[0])
      expect({ status: answer.status, fields, sent: request }).toMatchObject({ status: 422, sent: request })
      expect(fields, JSON.stringify(request)).toContain(field)
    }
    if (operation.body && !operation.isForm) {
      const url = urlOf(operation, valid.params, valid.query)
      const headers = {
        'content-type': 'application/json',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      }
      const broken = await fetch(url, { method: operation.method, headers, body: '{"broken' })
      expect([broken.status, ((await broken.json()) as { code: string }).code]).toEqual([
        400,
        'BODY_NOT_JSON',
      ])
    }
  })
})
