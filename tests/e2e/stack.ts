import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { uniqueName, waitFor } from '@bigtech/testkit'

function url(name: string, fallback: string): string {
  return process.env[name] ?? fallback
}

/** Addresses of the running stack: of `npm start` unless the environment overrides them. */
export const stack = {
  gateway: url('BIGTECH_GATEWAY_URL', 'http://127.0.0.1:8000'),
  user: url('BIGTECH_USER_URL', 'http://127.0.0.1:8005'),
  friend: url('BIGTECH_FRIEND_URL', 'http://127.0.0.1:8003'),
  chat: url('BIGTECH_CHAT_URL', 'http://127.0.0.1:8002'),
  notification: url('BIGTECH_NOTIFICATION_URL', 'http://127.0.0.1:8006'),
  analytics: url('BIGTECH_ANALYTICS_URL', 'http://127.0.0.1:8007'),
  mailbox: url('BIGTECH_MAILBOX_URL', 'http://127.0.0.1:11080'),
  control: url('BIGTECH_STACK_URL', 'http://127.0.0.1:11081'),
} as const

/** Grants access to analytics-service. */
export const operatorToken = process.env.BIGTECH_OPERATOR_TOKEN ?? ''

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests inspect arbitrary responses
  readonly body: any
  readonly text: string
}

/** Sends one request. */
export async function http(
  method: string,
  target: string,
  options: {
    token?: string
    json?: unknown
    form?: Record<string, string>
    headers?: Record<string, string>
  } = {},
): Promise<Answer> {
  const { token, json, form, headers } = options
  const response = await fetch(target, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: parse(text) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export interface Person {
  readonly id: number
  readonly email: string
  readonly username: string
  readonly password: string
  readonly token: string
  readonly refreshToken: string
  readonly sessionId: string
}

export const password = 'Test1234!@'

/** Returns a unique client address, because sign-ups are limited per address. */
function ownAddress(): Record<string, string> {
  const part = () => Math.floor(Math.random() * 256)
  return { 'x-forwarded-for': `10.${part()}.${part()}.${part()}` }
}

/** Retries after `Retry-After` while the service has too many passwords to hash. */
async function withPassword(status: number, send: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await send()
    if (answer.status !== 503 || attempt === 10) return expectStatus(status, Promise.resolve(answer))
    await setTimeout(1_000 * Number(answer.headers.get('retry-after') ?? 1))
  }
}

/** Creates a signed-in user at user-service, bypassing the gateway's limits. */
export async function newPerson(displayName = '테스트 유저', username = uniqueName('u')): Promise<Person> {
  const email = `${username}@example.com`
  const registered = await withPassword(201, () =>
    http('POST', `${stack.user}/auth/register`, {
      json: { email, username, password, display_name: displayName },
      headers: ownAddress(),
    }),
  )
  return { id: registered.body.id, email, username, password, ...(await signIn(email)) }
}

/** Creates a user with a role, granted by the operators' command. */
export async function newModerator(role: 'moderator' | 'operator' = 'moderator'): Promise<Person> {
  const person = await newPerson()
  const bigtech = join(import.meta.dirname, '../../packages/cli/src/main.ts')
  await promisify(execFile)(process.execPath, [bigtech, 'users', 'role', person.email, role, '--apply'])
  return { ...person, ...(await signIn(person.email)) }
}

/** Opens another session of a user. */
export async function signIn(email: string): Promise<Pick<Person, 'token' | 'refreshToken' | 'sessionId'>> {
  const { body } = await withPassword(200, () =>
    http('POST', `${stack.user}/auth/login/json`, { json: { email, password }, headers: ownAddress() }),
  )
  return { token: body.access_token, refreshToken: body.refresh_token, sessionId: body.session_id }
}

/** Makes two users friends; resolves to their 1:1 room, created by chat-service on the event. */
export async function befriend(a: Person, b: Person): Promise<number> {
  await expectStatus(
    201,
    http('POST', `${stack.friend}/friends/request`, { token: a.token, json: { target_user_id: b.id } }),
  )
  const incoming = await http('GET', `${stack.friend}/friends/requests?direction=incoming`, {
    token: b.token,
  })
  const request = incoming.body.items.find((item: { from_user_id: number }) => item.from_user_id === a.id)
  await expectStatus(
    200,
    http('POST', `${stack.friend}/friends/requests/${request.request_id}/accept`, { token: b.token }),
  )
  return waitFor(() => directRoomOf(a, b), { what: 'the 1:1 room' })
}

async function directRoomOf(a: Person, b: Person): Promise<number | undefined> {
  const { body } = await http('GET', `${stack.chat}/rooms`, { token: a.token })
  const rooms = body.items as { room_id: number; room_type: string; peer: { user_id: number } | null }[]
  return rooms.find(({ room_type, peer }) => room_type === 'direct' && peer?.user_id === b.id)?.room_id
}

/** Returns the response, or throws an error with the unexpected one. */
export async function expectStatus(status: number, answer: Promise<Answer>): Promise<Answer> {
  const got = await answer
  if (got.status !== status) throw new Error(`expected ${status}, got ${got.status} ${got.text}`)
  return got
}
