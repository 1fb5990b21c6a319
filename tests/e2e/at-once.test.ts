import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { secondChat, stopSecondChat } from './control.ts'
import { befriend, expectStatus, http, newModerator, newPerson, type Person, signIn, stack } from './stack.ts'
import { connect } from './watch.ts'

let otherChat: string

beforeAll(async () => {
  otherChat = await secondChat()
})
afterAll(stopSecondChat)

/** One endpoint of every service that accepts users' tokens. */
const doors = () => [
  `${stack.user}/profile/me`,
  `${stack.friend}/friends`,
  `${stack.chat}/rooms`,
  `${otherChat}/rooms`,
  `${stack.notification}/notifications/preferences`,
  `${stack.gateway}/api/profile/me`,
  `${stack.gateway}/api/friends`,
  `${stack.gateway}/api/rooms`,
]

/** Returns the milliseconds until `probe` is true; fails after the limit. */
async function within(limitMs: number, what: string, probe: () => boolean | Promise<boolean>) {
  const began = performance.now()
  await waitFor(probe, { timeoutMs: limitMs, intervalMs: 20, what })
  return performance.now() - began
}

/** Expects both processes' streams to close and every endpoint to refuse the token within 2 s. */
async function expectEnded(token: string, streams: readonly { readonly ended: boolean }[]) {
  await Promise.all([
    ...streams.map((stream) => within(2_000, 'the stream to end', () => stream.ended)),
    ...doors().map((door) =>
      within(2_000, `401 at ${door}`, async () => (await http('GET', door, { token })).status === 401),
    ),
  ])
  for (const door of doors()) expect((await http('GET', door, { token })).body.code).toBe('SESSION_REVOKED')
}

describe('a session that ends', () => {
  const open = (token: string) => Promise.all([connect(token), connect(token, otherChat)])

  it.each([
    [
      'is revoked from another device',
      (owner: Person, ended: Pick<Person, 'sessionId'>) =>
        http('DELETE', `${stack.user}/auth/sessions/${ended.sessionId}`, { token: owner.token }),
      204,
    ],
    [
      'signs out',
      (_owner: Person, ended: Pick<Person, 'token'>) =>
        http('POST', `${stack.user}/auth/logout`, { token: ended.token }),
      204,
    ],
    [
      'is among all others',
      (owner: Person) =>
        http('POST', `${stack.user}/auth/logout-all`, { token: owner.token, json: { except_current: true } }),
      200,
    ],
    [
      'is left behind by a new password',
      (owner: Person) =>
        http('PUT', `${stack.user}/auth/password`, {
          token: owner.token,
          json: { current_password: owner.password, new_password: 'Better5678#$' },
        }),
      204,
    ],
  ] as const)(
    'a session that ends is refused by every service, and its streams close, within 2 s: %s',
    async (_how, end, status) => {
      const owner = await newPerson()
      const ended = await signIn(owner.email)
      const streams = await open(ended.token)
      const kept = await connect(owner.token)
      for (const door of doors()) await expectStatus(200, http('GET', door, { token: ended.token }))

      await expectStatus(status, end(owner, ended))
      await expectEnded(ended.token, streams)
      expect(kept.ended).toBe(false)
      await expectStatus(200, http('GET', `${stack.user}/profile/me`, { token: owner.token }))
      kept.close()
    },
  )

  it('a stolen refresh token that was already used ends its session immediately', async () => {
    const person = await newPerson()
    const refresh = (token: string) =>
      http('POST', `${stack.user}/auth/refresh`, { json: { refresh_token: token } })
    const first = person.refreshToken
    const { body: second } = await expectStatus(200, refresh(first))
    const { body: again } = await expectStatus(200, refresh(first))
    expect(again.refresh_token, 'many tabs get the same successor').toBe(second.refresh_token)
    const { body: third } = await expectStatus(200, refresh(second.refresh_token))
    const streams = await open(third.access_token)

    const reused = await refresh(first)
    expect([reused.status, reused.body.code]).toEqual([401, 'REFRESH_TOKEN_INVALID'])
    await expectEnded(third.access_token, streams)
    expect((await refresh(third.refresh_token)).status).toBe(401)
    expect((await refresh(second.refresh_token)).status).toBe(401)
  })
})

describe('a user whom a moderator suspends', () => {
  it('a suspended user has no stream and no token left within 2 s on any process, writes nothing, and cannot sign in', async () => {
    const [moderator, friend, suspended] = [await newModerator(), await newPerson(), await newPerson()]
    const room = await befriend(friend, suspended)
    const phone = await signIn(suspended.email)
    const streams = await Promise.all([
      connect(suspended.token),
      connect(suspended.token, otherChat),
      connect(phone.token),
      connect(phone.token, otherChat),
    ])
    const bystander = await connect(friend.token)
    const report = await expectStatus(
      201,
      http('POST', `${stack.user}/moderation/reports`, {
        token: friend.token,
        json: { user_id: suspended.id, reason: 'harassment' },
      }),
    )
    await expectStatus(
      201,
      http('POST', `${stack.user}/moderation/reports/${report.body.report_id}/decisions`, {
        token: moderator.token,
        json: { action: 'suspend', hours: 1 },
      }),
    )
    await Promise.all([
      expectEnded(suspended.token, streams.slice(0, 2)),
      expectEnded(phone.token, streams.slice(2)),
    ])

    const writes = [
      ['POST', `${stack.chat}/messages/${room}`, { content: '있어?' }],
      ['POST', `${otherChat}/messages/${room}`, { content: '있어?' }],
      ['PUT', `${stack.chat}/rooms/${room}/read`, { seq: 1 }],
      ['DELETE', `${stack.friend}/friends/${friend.id}`, undefined],
      ['PUT', `${stack.user}/profile/me`, { status_message: '휴가' }],
      ['PUT', `${stack.notification}/notifications/preferences`, {}],
    ] as const
    for (const { token } of [suspended, phone]) {
      for (const [method, target, json] of writes) {
        const { body } = await http(method, target, { token, json })
        expect(body.code, `${method} ${target}`).toBe('SESSION_REVOKED')
      }
    }
    const refreshed = await http('POST', `${stack.user}/auth/refresh`, {
      json: { refresh_token: phone.refreshToken },
    })
    expect(refreshed.status).toBe(401)
    await expect(signIn(suspended.email)).rejects.toThrow('ACCOUNT_SUSPENDED')
    expect(bystander.ended).toBe(false)
    bystander.close()
  })
})

describe('a block', () => {
  it('a block stops direct messages in both directions within 1 s on every process', async () => {
    const [mina, juno] = await Promise.all([newPerson(), newPerson()])
    const room = await befriend(mina, juno)
    const send = (from: Person, address: string) =>
      http('POST', `${address}/messages/${room}`, { token: from.token, json: { content: '있어?' } })
    const ways = [mina, juno].flatMap((from) => [stack.chat, otherChat].map((to) => [from, to] as const))
    // Both processes have cached the room and its members.
    for (const [from, to] of ways) await expectStatus(201, send(from, to))

    await expectStatus(204, http('POST', `${stack.friend}/friends/${juno.id}/block`, { token: mina.token }))
    await Promise.all(
      ways.map(([from, to]) =>
        within(1_000, 'the refusal', async () => (await send(from, to)).status === 403),
      ),
    )
    for (const [from, to] of ways) {
      expect((await send(from, to)).body.code).toBe('DIRECT_MESSAGE_REFUSED')
    }
  })
})

describe('a member who is removed', () => {
  it('a removed member receives nothing of the room from that moment on, on any process', async () => {
    const [owner, member] = await Promise.all([newPerson(), newPerson()])
    await befriend(owner, member)
    const group = await expectStatus(
      201,
      http('POST', `${stack.chat}/rooms`, { token: owner.token, json: { member_ids: [member.id] } }),
    )
    const room = group.body.room_id as number
    const send = (content: string) =>
      expectStatus(
        201,
        http('POST', `${stack.chat}/messages/${room}`, { token: owner.token, json: { content } }),
      )
    const streams = await Promise.all([connect(member.token), connect(member.token, otherChat)])
    const saw = (stream: (typeof streams)[number], text: string) =>
      stream.frames.some(({ data }) => JSON.stringify(data).includes(text))
    await send('before')
    for (const stream of streams) await waitFor(() => saw(stream, 'before'))

    await expectStatus(
      204,
      http('DELETE', `${stack.chat}/rooms/${room}/members/${member.id}`, { token: owner.token }),
    )
    for (let count = 0; count < 5; count++) await send(`after ${count}`)
    for (const stream of streams) {
      await within(1_000, 'room_removed', () => stream.frames.some(({ name }) => name === 'room_removed'))
    }
    for (const address of [stack.chat, otherChat]) {
      const answer = await http('GET', `${address}/messages/${room}`, { token: member.token })
      expect(answer.body.code).toBe('NOT_A_MEMBER')
    }
    // A later message to the same users proves that the streams are alive and had time to show it.
    const direct = await befriend(owner, await newPerson())
    expect(direct).toBeGreaterThan(0)
    for (const stream of streams) {
      expect(saw(stream, 'after')).toBe(false)
      expect(stream.ended).toBe(false)
      stream.close()
    }
  })
})
