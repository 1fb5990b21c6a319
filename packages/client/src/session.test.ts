import { listRooms } from '@bigtech/contracts'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiProblem, NetworkFailure } from './api-problem.ts'
import { Http } from './http.ts'
import { memorySessionStore, Session, webSessionStore } from './session.ts'

let requests: { path: string; token: string | null; body: unknown }[]
let refreshAnswer: () => Response | Promise<Response>
let roomsAnswer: (token: string | null) => Response
let signedOut: number
let session: Session
let issued: number
let userId: number

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers })
const problem = (status: number, code: string) =>
  json(status, { type: 'about:blank', title: code, status, code, request_id: 'r' })
const tokens = () => {
  issued++
  return json(200, {
    access_token: `access-${issued}`,
    token_type: 'bearer',
    expires_in: 600,
    refresh_token: `refresh-${issued}`,
    refresh_expires_in: 1_000,
    session_id: '0199a8a0-0000-7000-8000-000000000000',
    user_id: userId,
    device_token: 'device',
  })
}

const fetchOf = async (input: string | URL, init: RequestInit = {}) => {
  const path = new URL(String(input)).pathname
  const token = new Headers(init.headers).get('authorization')?.slice(7) ?? null
  requests.push({ path, token, body: init.body ? JSON.parse(String(init.body)) : undefined })
  if (path === '/auth/login/json') return tokens()
  if (path === '/auth/refresh') return refreshAnswer()
  if (path === '/auth/logout') throw new TypeError('network')
  return roomsAnswer(token)
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  requests = []
  issued = 0
  userId = 7
  signedOut = 0
  refreshAnswer = tokens
  roomsAnswer = () => json(200, { items: [], next_cursor: null })
  const http = new Http({ baseUrl: 'http://api', fetch: fetchOf as typeof fetch })
  session = new Session(http, memorySessionStore(), () => {
    signedOut++
  })
  await session.login('mina@example.com', 'x')
})
afterEach(() => {
  vi.useRealTimers()
})

const expire = () => vi.setSystemTime(Date.now() + 600_000)
const asked = (path: string) => requests.filter((request) => request.path === path)

describe('a session', () => {
  it('a session uses its token while the token is valid', async () => {
    await session.call(listRooms, {})
    expect(asked('/auth/refresh')).toHaveLength(0)
    expect(asked('/rooms')[0]!.token).toBe('access-1')
  })

  it('a session refreshes before the token expires rather than after a rejection', async () => {
    vi.setSystemTime(Date.now() + 571_000)
    await session.call(listRooms, {})
    expect(asked('/rooms').map(({ token }) => token)).toEqual(['access-2'])
  })

  it('a session refreshes once when 20 concurrent calls find an expired token', async () => {
    expire()
    await Promise.all(Array.from({ length: 20 }, () => session.call(listRooms, {})))
    expect(asked('/auth/refresh').map(({ body }) => body)).toEqual([{ refresh_token: 'refresh-1' }])
    expect(new Set(asked('/rooms').map(({ token }) => token))).toEqual(new Set(['access-2']))
  })

  it('a session refreshes again with the newest token the next time', async () => {
    for (const times of [1, 2]) {
      expire()
      await session.call(listRooms, {})
      expect(asked('/auth/refresh')).toHaveLength(times)
    }
    expect(asked('/auth/refresh')[1]!.body).toEqual({ refresh_token: 'refresh-2' })
  })

  it('a session repeats a call once with a new token when the server rejects the old one', async () => {
    roomsAnswer = (token) =>
      token === 'access-1' ? problem(401, 'TOKEN_INVALID') : json(200, { items: [], next_cursor: null })
    await session.call(listRooms, {})
    expect(asked('/rooms').map(({ token }) => token)).toEqual(['access-1', 'access-2'])
    roomsAnswer = () => problem(401, 'TOKEN_INVALID')
    await expect(session.call(listRooms, {})).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
    expect(asked('/rooms')).toHaveLength(4)
  })

  it('a session whose refresh is rejected is deleted and reported once', async () => {
    expire()
    refreshAnswer = () => problem(401, 'REFRESH_TOKEN_INVALID')
    const calls = Array.from({ length: 5 }, () => session.call(listRooms, {}))
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('rejected')
    expect(session.current).toBeUndefined()
    expect(signedOut).toBe(1)
    await expect(session.token()).rejects.toMatchObject({ code: 'NOT_AUTHENTICATED' })
    expect(signedOut).toBe(1)
  })

  it.each([
    ['no network', () => Promise.reject(new TypeError('fetch failed')), NetworkFailure],
    ['503', () => problem(503, 'UNAVAILABLE'), ApiProblem],
  ])('a session survives a refresh that meets %s: the next call retries', async (_what, answer, kind) => {
    expire()
    refreshAnswer = answer
    await expect(session.call(listRooms, {})).rejects.toBeInstanceOf(kind)
    expect(session.current).toMatchObject({ refreshToken: 'refresh-1' })
    expect(signedOut).toBe(0)
    refreshAnswer = tokens
    await session.call(listRooms, {})
    expect(asked('/rooms').map(({ token }) => token)).toEqual(['access-2'])
  })

  it('a session stays deleted when a pending refresh succeeds after logout', async () => {
    expire()
    const answer = Promise.withResolvers<void>()
    refreshAnswer = () => answer.promise.then(tokens)
    const call = session.call(listRooms, {})
    const settled = expect(call).rejects.toMatchObject({ code: 'NOT_AUTHENTICATED' })
    await session.logout()
    answer.resolve()
    await settled
    expect(session.current).toBeUndefined()
  })

  it.each([
    ['answered', tokens],
    ['refused', () => problem(401, 'REFRESH_TOKEN_INVALID')],
  ])(
    'a session adopts the tokens refreshed by another tab when its own refresh is %s later',
    async (_how, later) => {
      const store = memorySessionStore()
      const http = new Http({ baseUrl: 'http://api', fetch: fetchOf as typeof fetch })
      const [slow, quick] = [0, 1].map(() => new Session(http, store, () => signedOut++)) as [
        Session,
        Session,
      ]
      await slow.login('mina@example.com', 'x')
      expire()
      const answer = Promise.withResolvers<void>()
      refreshAnswer = () => answer.promise.then(later)
      const call = slow.call(listRooms, {})
      refreshAnswer = tokens
      const { accessToken } = await quick.refresh()
      answer.resolve()
      await call
      expect(asked('/rooms').at(-1)?.token).toBe(accessToken)
      expect(store.load()).toMatchObject({ accessToken })
      expect(signedOut).toBe(0)
    },
  )

  it('a session refreshes once for all tabs of a browser', async () => {
    const kept = new Map<string, string>()
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    }
    const http = new Http({ baseUrl: 'http://api', fetch: fetchOf as typeof fetch })
    const key = crypto.randomUUID()
    const tabs = Array.from({ length: 6 }, () => new Session(http, webSessionStore(storage, key)))
    await tabs[0]!.login('mina@example.com', 'x')
    expire()
    await Promise.all(tabs.flatMap((tab) => [tab.call(listRooms, {}), tab.call(listRooms, {})]))
    expect(asked('/auth/refresh')).toHaveLength(1)
    await tabs[3]!.logout()
    expect(tabs[0]!.current).toBeUndefined()
    await expect(tabs[1]!.token()).rejects.toMatchObject({ code: 'NOT_AUTHENTICATED' })
  })

  it('a session that began while the refresh of the previous one was rejected is kept', async () => {
    expire()
    const answer = Promise.withResolvers<void>()
    refreshAnswer = () => answer.promise.then(() => problem(401, 'REFRESH_TOKEN_INVALID'))
    const settled = expect(session.refresh()).rejects.toBeInstanceOf(ApiProblem)
    await session.logout()
    userId = 8
    const { refreshToken } = await session.login('juno@example.com', 'x')
    answer.resolve()
    await settled
    expect(session.current).toMatchObject({ refreshToken })
    expect(signedOut).toBe(0)
  })

  it('a session keeps the device token for the next sign-in', async () => {
    const bodies = () => asked('/auth/login/json').map(({ body }) => body)
    expect(bodies()[0]).not.toHaveProperty('device_token')
    await session.logout()
    await session.login('mina@example.com', 'x')
    expect(bodies()[1]).toMatchObject({ device_token: 'device' })
    expire()
    refreshAnswer = () => problem(401, 'REFRESH_TOKEN_INVALID')
    await expect(session.call(listRooms, {})).rejects.toBeInstanceOf(ApiProblem)
    await session.login('mina@example.com', 'x')
    expect(bodies()[2]).toMatchObject({ device_token: 'device' })
  })

  it('a session is deleted by logout even when the server is unreachable', async () => {
    await session.logout()
    expect(session.current).toBeUndefined()
    expect(asked('/auth/logout')[0]!.token).toBe('access-1')
    expect(signedOut).toBe(0)
  })
})
