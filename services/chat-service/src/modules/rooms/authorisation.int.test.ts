import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestChat, type TestChat } from '../../../testing/chat.ts'

let chat: TestChat

beforeAll(async () => {
  chat = await startTestChat()
  await chat.untilReady()
}, 60_000)
afterAll(() => chat?.close())

const people = ['anonymous', 'stranger', 'friend', 'blocked', 'member', 'admin', 'owner', 'removed'] as const
type Person = (typeof people)[number]

interface Scene {
  readonly id: Record<Exclude<Person, 'anonymous'> | 'target', number>
  readonly room: number
  readonly token: string
  readonly link: number
}

/** A group with an owner, an admin and two members, plus a friend of the owner and strangers. */
async function scene(): Promise<Scene> {
  const [stranger, friend, blocked, member, admin, owner, removed, target] = await chat.people(8)
  const { insertId: room } = await insert(
    `INSERT INTO rooms (room_type, name, created_by, member_count, last_activity_at, created_at)
     VALUES ('group', 'scene', ?, 4, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    [owner],
  )
  for (const [userId, role] of [
    [owner, 'owner'],
    [admin, 'admin'],
    [member, 'member'],
    [target, 'member'],
  ]) {
    await insert(
      `INSERT INTO room_members (room_id, user_id, role, joined_at, visible_from_seq) VALUES (?, ?, ?, UTC_TIMESTAMP(3), 1)`,
      [room, userId, role],
    )
    await insert('INSERT INTO room_counts (user_id, rooms) VALUES (?, 1)', [userId])
  }
  await insert(
    'INSERT INTO room_removals (room_id, user_id, removed_by, removed_at) VALUES (?, ?, ?, UTC_TIMESTAMP(3))',
    [room, removed, owner],
  )
  await chat.befriend(owner, friend)
  await chat.block(owner, blocked)
  const token = `token-of-room-${room}`
  const { insertId: link } = await insert(
    'INSERT INTO room_links (room_id, token_hash, created_by, created_at) VALUES (?, ?, ?, UTC_TIMESTAMP(3))',
    [room, createHash('sha256').update(token).digest(), owner],
  )
  return { id: { stranger, friend, blocked, member, admin, owner, removed, target }, room, token, link }
}

async function insert(sql: string, values: unknown[]): Promise<{ insertId: number }> {
  return (await chat.mysql.query(sql, values)) as unknown as { insertId: number }
}

type Expected = number | string
interface Operation {
  readonly operationId: string
  readonly method: string
  readonly url: (scene: Scene) => string
  readonly body?: (scene: Scene) => object
  /** The default expectation; anonymous callers always get 401. */
  readonly otherwise: Expected
  readonly but?: Partial<Record<Person, Expected>>
}

const outsiders = {
  stranger: 'NOT_A_MEMBER',
  friend: 'NOT_A_MEMBER',
  blocked: 'NOT_A_MEMBER',
  removed: 'NOT_A_MEMBER',
}
const members = (status: number) => ({ otherwise: status, but: outsiders })
const admins = (status: number) => ({ otherwise: status, but: { ...outsiders, member: 'ROLE_REQUIRED' } })
const owners = (status: number) => ({
  otherwise: status,
  but: { ...outsiders, member: 'ROLE_REQUIRED', admin: 'ROLE_REQUIRED' },
})
const anybody = (status: number) => ({ otherwise: status })
const room =
  (path = '') =>
  (s: Scene) =>
    `/rooms/${s.room}${path}`

const operations: readonly Operation[] = [
  {
    operationId: 'createRoom',
    method: 'POST',
    url: () => '/rooms',
    body: (s) => ({ member_ids: [s.id.owner] }),
    otherwise: 'MEMBER_NOT_ADDABLE',
    but: { friend: 201, owner: 201 },
  },
  {
    operationId: 'openDirectRoom',
    method: 'PUT',
    url: (s) => `/rooms/direct/${s.id.owner}`,
    otherwise: 'DIRECT_MESSAGE_REFUSED',
    but: { friend: 200 },
  },
  { operationId: 'listRooms', method: 'GET', url: () => '/rooms', ...anybody(200) },
  { operationId: 'getReceiverSettings', method: 'GET', url: () => '/rooms/settings/me', ...anybody(200) },
  {
    operationId: 'updateReceiverSettings',
    method: 'PUT',
    url: () => '/rooms/settings/me',
    body: () => ({ strangers_may_add: false }),
    ...anybody(200),
  },
  { operationId: 'exportChatData', method: 'GET', url: () => '/rooms/export', ...anybody(200) },
  { operationId: 'getRoom', method: 'GET', url: room(), ...members(200) },
  { operationId: 'updateRoom', method: 'PATCH', url: room(), body: () => ({ name: 'new' }), ...admins(200) },
  { operationId: 'deleteRoom', method: 'DELETE', url: room(), ...owners(204) },
  {
    operationId: 'updateRoomSettings',
    method: 'PUT',
    url: room('/settings'),
    body: () => ({ pinned: true }),
    ...members(200),
  },
  { operationId: 'listRoomMembers', method: 'GET', url: room('/members'), ...members(200) },
  {
    operationId: 'inviteRoomMembers',
    method: 'POST',
    url: room('/members'),
    body: (s) => ({ member_ids: [s.id.friend] }),
    otherwise: 'MEMBER_NOT_ADDABLE',
    but: { ...outsiders, owner: 200 },
  },
  {
    operationId: 'removeRoomMember',
    method: 'DELETE',
    url: (s) => `/rooms/${s.room}/members/${s.id.target}`,
    ...admins(204),
  },
  { operationId: 'leaveRoom', method: 'POST', url: room('/leave'), ...members(204) },
  {
    operationId: 'setRoomRole',
    method: 'PUT',
    url: (s) => `/rooms/${s.room}/members/${s.id.target}/role`,
    body: () => ({ role: 'admin' }),
    ...owners(200),
  },
  { operationId: 'createJoinLink', method: 'POST', url: room('/links'), body: () => ({}), ...admins(201) },
  { operationId: 'listJoinLinks', method: 'GET', url: room('/links'), ...admins(200) },
  {
    operationId: 'revokeJoinLink',
    method: 'DELETE',
    url: (s) => `/rooms/${s.room}/links/${s.link}`,
    ...admins(204),
  },
  {
    operationId: 'silenceRoomMember',
    method: 'PUT',
    url: (s) => `/rooms/${s.room}/members/${s.id.target}/silence`,
    body: () => ({ minutes: 5 }),
    ...admins(200),
  },
  {
    operationId: 'unsilenceRoomMember',
    method: 'DELETE',
    url: (s) => `/rooms/${s.room}/members/${s.id.target}/silence`,
    ...admins(204),
  },
  { operationId: 'listRoomBans', method: 'GET', url: room('/bans'), ...admins(200) },
  {
    operationId: 'banFromRoom',
    method: 'PUT',
    url: (s) => `/rooms/${s.room}/bans/${s.id.target}`,
    ...admins(204),
  },
  {
    operationId: 'unbanFromRoom',
    method: 'DELETE',
    url: (s) => `/rooms/${s.room}/bans/${s.id.removed}`,
    ...admins(204),
  },
  { operationId: 'listRoomAudit', method: 'GET', url: room('/audit'), ...admins(200) },
  {
    operationId: 'joinRoom',
    method: 'POST',
    url: (s) => `/rooms/join/${s.token}`,
    otherwise: 200,
    but: { removed: 'JOIN_LINK_INVALID' },
  },
]

const cases = operations.flatMap((operation) =>
  people.map((person) => {
    const expected = person === 'anonymous' ? 401 : (operation.but?.[person] ?? operation.otherwise)
    return [operation.operationId, person, expected, operation] as const
  }),
)

describe('room authorization', () => {
  it.each(cases)('%s as %s: %s', async (_id, person, expected, operation) => {
    const s = await scene()
    const who = person === 'anonymous' ? null : s.id[person]
    const { status, body } = await chat.as(who, operation.method, operation.url(s), operation.body?.(s))
    expect(typeof expected === 'number' ? status : body.code).toBe(expected)
    if (typeof expected === 'string') expect([403, 404]).toContain(status)
  })

  it('room authorization is specified for every operation of this module', async () => {
    const document = (await chat.as(null, 'GET', '/openapi.json')).body
    const tags = ['rooms', 'room members', 'room settings', 'room tools', 'join links']
    const documented = Object.values(document.paths)
      .flatMap((path) => Object.values(path as Record<string, { operationId: string; tags: string[] }>))
      .filter((operation) => operation.tags.some((tag) => tags.includes(tag)))
      .map(({ operationId }) => operationId)
    expect(operations.map(({ operationId }) => operationId).sort()).toEqual(documented.sort())
  })

  it('every operation returns 404 for an unknown room, and 422 for an invalid id', async () => {
    const s = await scene()
    for (const operation of operations.filter(({ url }) => url(s).startsWith(`/rooms/${s.room}`))) {
      const call = (roomId: number | string) =>
        chat.as(
          s.id.owner,
          operation.method,
          operation.url(s).replace(`/rooms/${s.room}`, `/rooms/${roomId}`),
          operation.body?.(s),
        )
      expect(await call(987_654_321), operation.operationId).toMatchObject({
        status: 404,
        body: { code: 'ROOM_NOT_FOUND' },
      })
      expect((await call('abc')).status, operation.operationId).toBe(422)
    }
  })

  it('every operation rejects bodies that violate the contract', async () => {
    const s = await scene()
    const bad: [string, string, unknown][] = [
      ['POST', '/rooms', { name: '' }],
      ['POST', '/rooms', { name: 'x'.repeat(101) }],
      ['POST', '/rooms', { member_ids: ['1'] }],
      ['POST', '/rooms', { member_ids: Array.from({ length: 1_000 }, (_, index) => index + 1) }],
      ['PUT', `/rooms/${s.room}/settings`, {}],
      ['PUT', `/rooms/${s.room}/members/${s.id.target}/role`, { role: 'king' }],
      ['POST', `/rooms/${s.room}/links`, { max_uses: 0 }],
      ['POST', `/rooms/${s.room}/links`, { expires_in_seconds: 1 }],
      ['GET', '/rooms?limit=101', undefined],
      ['GET', '/rooms?cursor=rubbish', undefined],
    ]
    for (const [method, url, body] of bad) {
      expect((await chat.as(s.id.owner, method, url, body)).status, `${method} ${url}`).toBe(422)
    }
  })
})

describe('limits', () => {
  it('a user who creates rooms in a loop gets 429 with Retry-After, and no other user does', async () => {
    const [eager, other] = await chat.people(2)
    const answers = await Promise.all(Array.from({ length: 130 }, () => chat.as(eager, 'POST', '/rooms', {})))
    const refused = answers.filter(({ status }) => status === 429)
    // The window may end during the requests.
    expect(refused.length).toBeGreaterThanOrEqual(10)
    expect(refused[0]!.body.code).toBe('RATE_LIMITED')
    expect(Number(refused[0]!.headers['retry-after'])).toBeGreaterThan(0)
    expect((await chat.as(other, 'POST', '/rooms', {})).status).toBe(201)
  })
})
