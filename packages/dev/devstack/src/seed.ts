import { UserError } from './problems.ts'

export interface DemoUser {
  email: string
  username: string
  display_name: string
  password: string
}

export const demoUsers: readonly [DemoUser, DemoUser] = [
  { email: 'mina@example.com', username: 'mina', display_name: '김미나', password: 'Mina1234!@' },
  { email: 'juno@example.com', username: 'juno', display_name: '박준오', password: 'Juno1234!@' },
]

interface Session {
  id: number
  token: string
}

/** A small REST client: seeding uses the gateway like any client. */
class Api {
  private readonly base: string

  constructor(base: string) {
    this.base = base
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    token?: string,
  ): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${this.base}/api${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    })
    const text = await response.text()
    return { status: response.status, body: text ? JSON.parse(text) : undefined }
  }
}

function failed(what: string, response: { status: number; body: unknown }): UserError {
  return new UserError(
    `Seeding failed: ${what} responded with ${response.status} ${JSON.stringify(response.body).slice(0, 300)}`,
  )
}

async function signIn(api: Api, user: DemoUser): Promise<Session> {
  const { email, password } = user
  let login = await api.call('POST', '/auth/login/json', { email, password })
  if (login.status === 401) {
    const registration = await api.call('POST', '/auth/register', user)
    if (registration.status !== 201) throw failed('POST /auth/register', registration)
    login = await api.call('POST', '/auth/login/json', { email, password })
  }
  if (login.status !== 200) throw failed('POST /auth/login/json', login)
  const token = (login.body as { access_token: string }).access_token
  const profile = await api.call('GET', '/profile/me', undefined, token)
  if (profile.status !== 200) throw failed('GET /profile/me', profile)
  const me = profile.body as { id?: number; user_id?: number }
  return { id: (me.user_id ?? me.id) as number, token }
}

async function areFriends(api: Api, one: Session, other: Session): Promise<boolean> {
  const response = await api.call('GET', '/friends?limit=100', undefined, one.token)
  if (response.status !== 200) throw failed('GET /friends', response)
  const { items } = response.body as { items: Array<{ user_id: number }> }
  return items.some((friend) => friend.user_id === other.id)
}

async function befriend(api: Api, one: Session, other: Session): Promise<void> {
  if (await areFriends(api, one, other)) return
  const asked = await api.call('POST', '/friends/request', { target_user_id: other.id }, one.token)
  // 400: the request exists from an earlier interrupted run.
  if (asked.status >= 400 && asked.status !== 400) throw failed('POST /friends/request', asked)
  // A crossing request accepts the first one, without looking up its id.
  const back = await api.call('POST', '/friends/request', { target_user_id: one.id }, other.token)
  if (back.status >= 400 && back.status !== 400) throw failed('POST /friends/request', back)
  if (!(await areFriends(api, one, other))) throw failed('POST /friends/request', back)
}

/** Waits for the room that chat-service creates on the friendship event. */
async function waitForRoom(api: Api, one: Session, withinMs: number): Promise<number> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const response = await api.call('GET', '/rooms', undefined, one.token)
    const room = (response.body as { items?: Array<{ room_id: number }> } | undefined)?.items?.[0]
    if (room) return room.room_id
    if (Date.now() > deadline) throw failed('GET /rooms, waiting for the room of the two friends,', response)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** Creates two friends with a room. Idempotent. */
export async function seed(gatewayUrl: string): Promise<{ roomId: number }> {
  const api = new Api(gatewayUrl)
  const [mina, juno] = demoUsers
  const one = await signIn(api, mina)
  const other = await signIn(api, juno)
  await befriend(api, one, other)
  return { roomId: await waitForRoom(api, one, 20_000) }
}
