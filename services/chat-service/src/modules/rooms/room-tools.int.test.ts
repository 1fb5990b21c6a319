import { roomAuditAction, roomMemberSilenced, roomRulesChanged } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestChat, type TestChat } from '../../../testing/chat.ts'

let chat: TestChat
/** A second process of the service. */
let second: TestChat['services'][number]
let owner: number
let admin: number
let member: number
let room: number

beforeAll(async () => {
  chat = await startTestChat()
  second = await chat.another()
  await chat.untilReady()
}, 60_000)
beforeEach(async () => {
  ;[owner, admin, member] = await chat.people(3)
  room = await groupOf(owner, admin, member)
  await chat.as(owner, 'PUT', `/rooms/${room}/members/${admin}/role`, { role: 'admin' })
})
afterAll(() => chat?.close())

async function groupOf(first: number, ...others: number[]): Promise<number> {
  await chat.befriend(first, ...others)
  return (await chat.as(first, 'POST', '/rooms', { member_ids: others })).body.room_id
}

const send = (from: number, process = chat.services[0], more: object = {}) =>
  chat.as(from, 'POST', `/messages/${room}`, { content: 'hello', ...more }, process)
const codeOf = async (from: number, process = chat.services[0]) => (await send(from, process)).body.code
const silence = (by: number, whom: number, minutes: number | null = 60) =>
  chat.as(by, 'PUT', `/rooms/${room}/members/${whom}/silence`, { minutes })
const ban = (by: number, whom: number) => chat.as(by, 'PUT', `/rooms/${room}/bans/${whom}`)
const update = (change: object) => chat.as(owner, 'PATCH', `/rooms/${room}`, change)
const lines = async (): Promise<{ kind: string; payload: Record<string, unknown> }[]> =>
  (await chat.as(owner, 'GET', `/messages/${room}?limit=100`)).body.items.flatMap(
    (message: { system: { kind: string; payload: Record<string, unknown> } | null }) => message.system ?? [],
  )
const audited = async (): Promise<(string | number | null)[][]> =>
  (await chat.as(owner, 'GET', `/rooms/${room}/audit`)).body.items.map(
    (entry: { action: string; target_id: number; detail: string }) => [
      entry.action,
      entry.target_id,
      entry.detail,
    ],
  )

describe('a silenced member', () => {
  it('a silenced member cannot write, edit or react on any process within 2 s, but can read', async () => {
    const { message_id } = (await send(member)).body
    await send(member, second)
    const { body } = await silence(admin, member)
    expect(Date.parse(body.silenced_until)).toBeGreaterThan(Date.now() + 59 * 60_000)
    expect(await codeOf(member)).toBe('MEMBER_SILENCED')
    await waitFor(async () => (await codeOf(member, second)) === 'MEMBER_SILENCED', { timeoutMs: 2_000 })
    const edited = await chat.as(member, 'PATCH', `/messages/${room}/${message_id}`, { content: 'x' })
    expect(edited.body.code).toBe('MEMBER_SILENCED')
    expect((await chat.as(member, 'GET', `/messages/${room}`)).status).toBe(200)
    expect((await chat.as(member, 'GET', `/rooms/${room}`)).body.silenced_until).toBe(body.silenced_until)
    const { items } = (await chat.as(owner, 'GET', `/rooms/${room}/members`)).body
    expect(items.map((each: { silenced_until: string | null }) => each.silenced_until)).toEqual([
      null,
      null,
      body.silenced_until,
    ])
    await waitFor(async () => (await lines()).some(({ kind }) => kind === 'member_silenced'))
    await chat.eventOf(roomMemberSilenced, ({ room_id, user_id }) => room_id === room && user_id === member)
  })

  it('a silenced member stays silenced after leaving and returning, and can write once the mute is lifted', async () => {
    await silence(owner, member, null)
    await chat.as(member, 'POST', `/rooms/${room}/leave`)
    await chat.as(owner, 'POST', `/rooms/${room}/members`, { member_ids: [member] })
    expect(await codeOf(member)).toBe('MEMBER_SILENCED')
    const url = `/rooms/${room}/members/${member}/silence`
    expect((await chat.as(admin, 'DELETE', url)).status).toBe(204)
    expect((await chat.as(admin, 'DELETE', url)).status).toBe(204)
    expect((await send(member)).status).toBe(201)
    await waitFor(async () => (await lines()).some(({ kind }) => kind === 'member_unsilenced'))
    expect((await audited()).filter(([action]) => action === 'member_unsilenced')).toHaveLength(1)
  })

  it('a silenced member can write again after the mute expires', async () => {
    await silence(owner, member, 1)
    expect(await codeOf(member)).toBe('MEMBER_SILENCED')
    await chat.mysql.query(
      'UPDATE room_silences SET silenced_until = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND WHERE room_id = ?',
      [room],
    )
    await chat.as(member, 'PUT', `/rooms/${room}/settings`, { pinned: true })
    expect((await send(member)).status).toBe(201)
  })

  it('a member cannot be silenced by an equal role, and the owner not at all', async () => {
    const [peer] = await chat.people(1)
    await chat.befriend(owner, peer)
    await chat.as(owner, 'POST', `/rooms/${room}/members`, { member_ids: [peer] })
    await chat.as(owner, 'PUT', `/rooms/${room}/members/${peer}/role`, { role: 'admin' })
    for (const whom of [peer, owner, admin])
      expect((await silence(admin, whom)).body.code).toBe('ROLE_REQUIRED')
    expect((await silence(owner, peer)).status).toBe(200)
    expect((await silence(owner, 987_654)).body.code).toBe('MEMBER_NOT_FOUND')
  })
})

describe('a room for announcements', () => {
  it('an announcement room accepts messages only from owner and admins on every process within 2 s, and reactions from everybody', async () => {
    const { message_id } = (await send(owner)).body
    await send(member, second)
    expect((await update({ posting: 'admins' })).body.posting).toBe('admins')
    expect(await codeOf(member)).toBe('ANNOUNCEMENTS_ONLY')
    await waitFor(async () => (await codeOf(member, second)) === 'ANNOUNCEMENTS_ONLY', { timeoutMs: 2_000 })
    expect((await send(admin, second)).status).toBe(201)
    const reaction = `/messages/${room}/${message_id}/reactions/${encodeURIComponent('👍')}`
    expect((await chat.as(member, 'PUT', reaction)).status).toBeLessThan(300)
    expect((await chat.as(member, 'POST', `/rooms/${room}/typing`)).body.code).toBe('ANNOUNCEMENTS_ONLY')
    await waitFor(async () =>
      (await lines()).some(({ kind, payload }) => kind === 'posting_changed' && payload.posting === 'admins'),
    )
    await chat.eventOf(roomRulesChanged, ({ room_id }) => room_id === room)
    await update({ posting: 'everyone' })
    expect((await send(member)).status).toBe(201)
  })

  it("an announcement room rejects a member's forward", async () => {
    const other = await groupOf(member)
    const { message_id } = (await chat.as(member, 'POST', `/messages/${other}`, { content: 'x' })).body
    await update({ posting: 'admins' })
    const url = `/messages/${other}/${message_id}/forward`
    expect((await chat.as(member, 'POST', url, { room_ids: [room] })).body.code).toBe('ANNOUNCEMENTS_ONLY')
  })
})

describe('slow mode', () => {
  it('slow mode admits one of 10 concurrent messages of a member over all processes, and returns the waiting time', async () => {
    await update({ slow_mode_seconds: 60 })
    await waitFor(
      async () =>
        (await chat.as(member, 'GET', `/rooms/${room}`, undefined, second)).body.slow_mode_seconds === 60,
    )
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => send(member, chat.services[index % 2])),
    )
    const stored = answers.filter(({ status }) => status === 201)
    expect(stored).toHaveLength(1)
    const refused = answers.find(({ status }) => status !== 201)!
    expect([refused.status, refused.body.code]).toEqual([429, 'SLOW_MODE'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50)
    for (let count = 0; count < 3; count++) expect((await send(admin)).status).toBe(201)
  })

  it('slow mode returns the stored message to a retry, and releases the turn when nothing was stored', async () => {
    await send(member, undefined, { client_message_id: 'before' })
    await update({ slow_mode_seconds: 60 })
    const other = { client_message_id: 'before', content: 'another text' }
    expect((await send(member, undefined, other)).body.code).toBe('MESSAGE_ID_REUSED')
    const first = await send(member, undefined, { client_message_id: 'once' })
    const again = await send(member, undefined, { client_message_id: 'once' })
    expect([first.status, again.status]).toEqual([201, 201])
    expect(again.body.message_id).toBe(first.body.message_id)
    expect(await codeOf(member)).toBe('SLOW_MODE')
    await update({ slow_mode_seconds: 0 })
    expect((await send(member)).status).toBe(201)
  })
})

describe('a ban', () => {
  it('a ban removes a member and blocks invitations and links until it is lifted', async () => {
    const { token } = (await chat.as(owner, 'POST', `/rooms/${room}/links`, {})).body
    const invite = () => chat.as(owner, 'POST', `/rooms/${room}/members`, { member_ids: [member] })
    const join = () => chat.as(member, 'POST', `/rooms/join/${token}`)
    expect((await ban(admin, member)).status).toBe(204)
    expect((await ban(admin, member)).status).toBe(204)
    expect(await codeOf(member)).toBe('NOT_A_MEMBER')
    expect((await invite()).body).toMatchObject({
      code: 'MEMBER_NOT_ADDABLE',
      errors: [{ field: 'member_ids.0' }],
    })
    expect((await join()).body.code).toBe('JOIN_LINK_INVALID')
    const { items } = (await chat.as(admin, 'GET', `/rooms/${room}/bans`)).body
    expect(items).toMatchObject([{ user_id: member, banned_by: admin }])
    expect((await chat.as(admin, 'DELETE', `/rooms/${room}/bans/${member}`)).status).toBe(204)
    expect((await chat.as(admin, 'GET', `/rooms/${room}/bans`)).body.items).toEqual([])
    expect((await join()).status).toBe(200)
  })

  it('a ban works for a non-member, and a plain removal is not a ban', async () => {
    const [outside] = await chat.people(1)
    await chat.befriend(owner, outside)
    await ban(admin, outside)
    const invite = () => chat.as(owner, 'POST', `/rooms/${room}/members`, { member_ids: [outside, member] })
    expect((await invite()).body.code).toBe('MEMBER_NOT_ADDABLE')
    await chat.as(owner, 'DELETE', `/rooms/${room}/members/${member}`)
    expect((await chat.as(owner, 'GET', `/rooms/${room}/bans`)).body.items).toHaveLength(1)
    const again = await chat.as(owner, 'POST', `/rooms/${room}/members`, { member_ids: [member] })
    expect(again.body.added).toEqual([member])
  })

  it('a ban does not apply to an equal role or the owner', async () => {
    for (const whom of [owner, admin]) expect((await ban(admin, whom)).body.code).toBe('ROLE_REQUIRED')
  })
})

it('the audit log has one entry per action of owner and admins, newest first, page by page', async () => {
  await update({ name: '새 이름', slow_mode_seconds: 30, posting: 'admins' })
  await update({ name: '새 이름' })
  await silence(admin, member, null)
  await ban(owner, member)
  const expected = [
    ['member_banned', member, null],
    ['member_silenced', member, '9999-12-31T00:00:00.000Z'],
    ['slow_mode_changed', null, '30'],
    ['posting_changed', null, 'admins'],
    ['name_changed', null, '새 이름'],
    ['role_changed', admin, 'admin'],
  ]
  expect(await audited()).toEqual(expected)
  const first = (await chat.as(admin, 'GET', `/rooms/${room}/audit?limit=4`)).body
  const rest = (await chat.as(admin, 'GET', `/rooms/${room}/audit?limit=4&cursor=${first.next_cursor}`)).body
  expect([...first.items, ...rest.items]).toHaveLength(expected.length)
  expect(rest.next_cursor).toBeNull()
})

it("the audit log records an admin's deletion of a member's message once, and no author's deletion of their own", async () => {
  const [theirs, own] = [(await send(member)).body, (await send(member)).body]
  const remove = (by: number, { message_id }: { message_id: string }) =>
    chat.as(by, 'DELETE', `/messages/${room}/${message_id}?for=all`)
  expect((await remove(member, own)).status).toBe(200)
  expect((await remove(admin, theirs)).status).toBe(200)
  expect((await remove(admin, theirs)).status).toBe(200)
  await waitFor(async () => (await audited()).some(([action]) => action === 'message_deleted'))
  expect(await audited()).toEqual([
    ['message_deleted', member, theirs.message_id],
    ['role_changed', admin, 'admin'],
  ])
})

it('every action of the owner and admins has an entry in the audit log', async () => {
  const message = (await send(member)).body
  const path = `/rooms/${room}`
  const { link_id } = (await chat.as(admin, 'POST', `${path}/links`, {})).body
  const acts: [method: 'PUT' | 'PATCH' | 'DELETE', url: string, body?: object][] = [
    ['DELETE', `${path}/links/${link_id}`],
    ['PATCH', path, { name: '새 이름' }],
    ['PATCH', path, { history_visibility: 'since_join', slow_mode_seconds: 30, posting: 'admins' }],
    ['PUT', `${path}/members/${member}/silence`, { minutes: 5 }],
    ['DELETE', `${path}/members/${member}/silence`],
    ['DELETE', `/messages/${room}/${message.message_id}?for=all`],
    ['PUT', `${path}/bans/${member}`],
    ['DELETE', `${path}/bans/${member}`],
  ]
  for (const [method, url, body] of acts)
    expect((await chat.as(admin, method, url, body)).status, `${method} ${url}`).toBeLessThan(300)
  // The owner is a friend of the member: nobody else may invite them back.
  const invited = await chat.as(owner, 'POST', `${path}/members`, { member_ids: [member] })
  expect(invited.status).toBe(200)
  expect((await chat.as(admin, 'DELETE', `${path}/members/${member}`)).status).toBe(204)
  const entries = async () => new Set((await audited()).map(([action]) => action))
  await waitFor(async () => (await entries()).has('message_deleted'))
  // A picture needs media-service: rooms.int.test.ts changes one.
  expect(await entries()).toEqual(
    new Set(roomAuditAction.options.filter((action) => action !== 'picture_changed')),
  )
}, 60_000)
