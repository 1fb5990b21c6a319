import { roomMembersChanged, roomRoleChanged } from '@bigtech/contracts'
import { encodeCursor } from '@bigtech/service-kit'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestChat, type TestChat } from '../../../testing/chat.ts'

let chat: TestChat

beforeAll(async () => {
  chat = await startTestChat()
  await chat.untilReady()
}, 60_000)
afterAll(() => chat?.close())

/** Creates a group; the first user is its owner. */
async function groupOf(owner: number, ...members: number[]): Promise<number> {
  await chat.befriend(owner, ...members)
  const { status, body } = await chat.as(owner, 'POST', '/rooms', { member_ids: members })
  expect(status).toBe(201)
  return body.room_id
}

/** Inserts members without permission checks. */
async function fill(roomId: number, userIds: readonly number[]): Promise<void> {
  const rows = userIds.map((userId) => `(${roomId}, ${userId}, 'member', UTC_TIMESTAMP(3), 1)`)
  await chat.mysql.query(
    `INSERT INTO room_members (room_id, user_id, role, joined_at, visible_from_seq) VALUES ${rows.join(',')}`,
  )
  await chat.mysql.query('UPDATE rooms SET member_count = member_count + ? WHERE id = ?', [
    userIds.length,
    roomId,
  ])
}

async function rolesOf(roomId: number, asUser: number): Promise<Record<number, string>> {
  const { body } = await chat.as(asUser, 'GET', `/rooms/${roomId}/members?limit=100`)
  return Object.fromEntries(body.items.map((m: { user_id: number; role: string }) => [m.user_id, m.role]))
}

describe('inviteRoomMembers', () => {
  it('an invitation adds friends of the inviting member, and keeps existing members unchanged', async () => {
    const [owner, mina, jun] = await chat.people(3)
    const room = await groupOf(owner, mina)
    await chat.befriend(mina, jun)
    const { status, body } = await chat.as(mina, 'POST', `/rooms/${room}/members`, {
      member_ids: [jun, owner],
    })
    expect({ status, body }).toEqual({ status: 200, body: { room_id: room, added: [jun], member_count: 3 } })
    const again = await chat.as(mina, 'POST', `/rooms/${room}/members`, { member_ids: [jun] })
    expect(again.body).toEqual({ room_id: room, added: [], member_count: 3 })
    const event = await chat.eventOf(roomMembersChanged, ({ room_id }) => room_id === room)
    expect(event).toMatchObject({ added: [jun], removed: [], changed_by: mina, reason: 'invited' })
  })

  it('an invitation adds all users or none', async () => {
    const [owner, mina, stranger] = await chat.people(3)
    const room = await groupOf(owner)
    await chat.befriend(owner, mina)
    const { body } = await chat.as(owner, 'POST', `/rooms/${room}/members`, { member_ids: [mina, stranger] })
    expect(body).toMatchObject({ code: 'MEMBER_NOT_ADDABLE', errors: [{ field: 'member_ids.1' }] })
    expect(Object.keys(await rolesOf(room, owner))).toEqual([String(owner)])
  })

  it('a room admits exactly 1,000 members under concurrency', async () => {
    const people = await chat.people(30 as number)
    const [owner, ...comers] = people as [number, ...number[]]
    const room = await groupOf(owner)
    await fill(
      room,
      Array.from({ length: 989 }, (_, index) => 500_000 + index),
    )
    await chat.befriend(owner, ...comers)
    const answers = await Promise.all(
      comers.map((id) => chat.as(owner, 'POST', `/rooms/${room}/members`, { member_ids: [id] })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10)
    const refused = answers.filter(({ status }) => status !== 200)
    expect(new Set(refused.map(({ body }) => body.code))).toEqual(new Set(['ROOM_FULL']))
    const [row] = await chat.mysql.query<{ members: number; stored: number }>(
      `SELECT COUNT(*) AS members, (SELECT member_count FROM rooms WHERE id = ?) AS stored
       FROM room_members WHERE room_id = ?`,
      [room, room],
    )
    expect(row).toEqual({ members: 1_000, stored: 1_000 })
  })

  it('a user can be in at most 2,000 rooms', async () => {
    const [owner, busy] = await chat.people(2)
    const room = await groupOf(owner)
    await chat.befriend(owner, busy)
    await chat.mysql.query('INSERT INTO room_counts (user_id, rooms) VALUES (?, 2000)', [busy])
    expect((await chat.as(busy, 'POST', '/rooms', {})).body.code).toBe('ROOM_LIMIT')
    const invited = await chat.as(owner, 'POST', `/rooms/${room}/members`, { member_ids: [busy] })
    expect(invited.body.code).toBe('MEMBER_NOT_ADDABLE')
    expect((await chat.mysql.query('SELECT rooms FROM room_counts WHERE user_id = ?', [busy]))[0]).toEqual({
      rooms: 2_000,
    })
  })

  it('a room can hide its earlier history from new members', async () => {
    const [owner, mina] = await chat.people(2)
    const room = await groupOf(owner)
    await chat.as(owner, 'PATCH', `/rooms/${room}`, { history_visibility: 'since_join' })
    await chat.as(owner, 'POST', `/messages/${room}`, { content: 'between us' })
    await chat.befriend(owner, mina)
    await chat.as(owner, 'POST', `/rooms/${room}/members`, { member_ids: [mina] })
    await chat.as(owner, 'POST', `/messages/${room}`, { content: 'welcome' })
    const seen = (await chat.as(mina, 'GET', `/messages/${room}`)).body.items
    const contents = seen.map(({ content }: { content: string }) => content)
    expect(contents).toContain('welcome')
    expect(contents).not.toContain('between us')
  })
})

describe('leaving, removing, roles', () => {
  it('when the owner leaves, ownership passes to the oldest admin, or else the oldest member', async () => {
    const [owner, first, second, third] = await chat.people(4)
    const room = await groupOf(owner)
    await chat.befriend(owner, first, second, third)
    for (const id of [first, second, third]) {
      await chat.as(owner, 'POST', `/rooms/${room}/members`, { member_ids: [id] })
    }
    await chat.as(owner, 'PUT', `/rooms/${room}/members/${third}/role`, { role: 'admin' })
    expect((await chat.as(owner, 'POST', `/rooms/${room}/leave`)).status).toBe(204)
    expect(await rolesOf(room, first)).toEqual({ [first]: 'member', [second]: 'member', [third]: 'owner' })
    expect((await chat.as(third, 'POST', `/rooms/${room}/leave`)).status).toBe(204)
    expect(await rolesOf(room, first)).toEqual({ [first]: 'owner', [second]: 'member' })
    const handed = await chat.eventOf(
      roomRoleChanged,
      (event) => event.room_id === room && event.user_id === first,
    )
    expect(handed).toMatchObject({ role: 'owner' })
  })

  it('a room is deleted when its last member leaves', async () => {
    const [owner] = await chat.people(1)
    const room = await groupOf(owner)
    expect((await chat.as(owner, 'POST', `/rooms/${room}/leave`)).status).toBe(204)
    expect((await chat.as(owner, 'GET', `/rooms/${room}`)).body.code).toBe('ROOM_NOT_FOUND')
  })

  it('a room keeps exactly one owner under concurrent transfers', async () => {
    const [owner, a, b, c] = await chat.people(4)
    const room = await groupOf(owner, a, b, c)
    const answers = await Promise.all(
      [a, b, c, a, b, c].map((id) =>
        chat.as(owner, 'PUT', `/rooms/${room}/members/${id}/role`, { role: 'owner' }),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    const roles = Object.values(await rolesOf(room, a)).sort()
    expect(roles).toEqual(['admin', 'member', 'member', 'owner'])
  })

  it('the owner cannot give up the role without a successor', async () => {
    const [owner, mina] = await chat.people(2)
    const room = await groupOf(owner, mina)
    const answer = await chat.as(owner, 'PUT', `/rooms/${room}/members/${owner}/role`, { role: 'member' })
    expect(answer).toMatchObject({ status: 403, body: { code: 'ROLE_REQUIRED' } })
  })

  it('admins can remove members, the owner can remove admins, and nobody can remove the owner', async () => {
    const [owner, admin, other, mina] = await chat.people(4)
    const room = await groupOf(owner, admin, other, mina)
    for (const id of [admin, other]) {
      await chat.as(owner, 'PUT', `/rooms/${room}/members/${id}/role`, { role: 'admin' })
    }
    const remove = (by: number, target: number) => chat.as(by, 'DELETE', `/rooms/${room}/members/${target}`)
    expect((await remove(mina, other)).body.code).toBe('ROLE_REQUIRED')
    expect((await remove(admin, owner)).body.code).toBe('ROLE_REQUIRED')
    expect((await remove(admin, other)).body.code).toBe('ROLE_REQUIRED')
    expect((await remove(admin, mina)).status).toBe(204)
    expect((await remove(admin, mina)).body.code).toBe('MEMBER_NOT_FOUND')
    expect((await remove(owner, other)).status).toBe(204)
    expect((await remove(owner, owner)).status).toBe(204)
    expect(await rolesOf(room, admin)).toEqual({ [admin]: 'owner' })
  })

  it('a removed member loses access immediately on every process', async () => {
    const [owner, mina] = await chat.people(2)
    const room = await groupOf(owner, mina)
    const second = await chat.another()
    await chat.untilReady()
    const send = (process = chat.services[0]) =>
      chat.as(mina, 'POST', `/messages/${room}`, { content: 'hello' }, process)
    expect([(await send()).status, (await send(second)).status]).toEqual([201, 201])
    await chat.as(owner, 'DELETE', `/rooms/${room}/members/${mina}`)
    expect((await send()).body.code).toBe('NOT_A_MEMBER')
    await waitFor(async () => (await send(second)).status === 403, { timeoutMs: 1_000 })
    for (const path of ['', '/members']) {
      expect((await chat.as(mina, 'GET', `/rooms/${room}${path}`)).body.code).toBe('NOT_A_MEMBER')
    }
  })

  it('changes of members and roles are recorded as system messages', async () => {
    const [owner, mina, jun] = await chat.people(3)
    const room = await groupOf(owner, mina)
    await chat.befriend(owner, jun)
    await chat.as(owner, 'POST', `/rooms/${room}/members`, { member_ids: [jun] })
    await chat.as(owner, 'PATCH', `/rooms/${room}`, { name: 'renamed' })
    await chat.as(mina, 'POST', `/rooms/${room}/leave`)
    const kinds = await waitFor(async () => {
      const { body } = await chat.as(owner, 'GET', `/messages/${room}`)
      return (
        body.items.length >= 3 && body.items.map((item: { system: { kind: string } }) => item.system.kind)
      )
    })
    expect(kinds).toEqual(['members_invited', 'room_renamed', 'member_left'])
  })
})

describe('listRoomMembers', () => {
  it('the list of members shows each member once, page by page, while others join', async () => {
    const people = (await chat.people(12 as number)) as number[]
    const [owner, ...others] = people as [number, ...number[]]
    const room = await groupOf(owner, ...others.slice(0, 8))
    await chat.befriend(owner, ...others.slice(8))
    const seen: number[] = []
    let cursor: string | null = null
    for (let page = 0; page < 10; page++) {
      const query: string = cursor ? `&cursor=${cursor}` : ''
      const { body } = await chat.as(owner, 'GET', `/rooms/${room}/members?limit=3${query}`)
      seen.push(...body.items.map(({ user_id }: { user_id: number }) => user_id))
      const comer = others[8 + page]
      if (comer) await chat.as(owner, 'POST', `/rooms/${room}/members`, { member_ids: [comer] })
      cursor = body.next_cursor
      if (!cursor) break
    }
    expect(seen).toHaveLength(new Set(seen).size)
    expect(new Set(seen)).toEqual(new Set(people))
    const noTimes = [Number.MAX_SAFE_INTEGER, -1].map((at) => encodeCursor([at, owner]))
    for (const bad of ['rubbish', ...noTimes]) {
      const { body } = await chat.as(owner, 'GET', `/rooms/${room}/members?cursor=${bad}`)
      expect(body.code).toBe('CURSOR_INVALID')
    }
  })
})

describe('join links', () => {
  const link = async (owner: number, room: number, body = {}) =>
    (await chat.as(owner, 'POST', `/rooms/${room}/links`, body)).body as { token: string; link_id: number }

  it('a join link admits exactly its maximum of 40 concurrent users on two processes', async () => {
    const [owner, ...comers] = (await chat.people(41 as number)) as [number, ...number[]]
    const room = await groupOf(owner)
    const { token, link_id } = await link(owner, room, { max_uses: 15 })
    const second = await chat.another()
    const answers = await Promise.all(
      comers.map((id, index) =>
        chat.as(id, 'POST', `/rooms/join/${token}`, undefined, index % 2 ? second : chat.services[0]),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(15)
    const refused = answers.filter(({ status }) => status !== 200)
    expect(new Set(refused.map(({ body }) => body.code))).toEqual(new Set(['JOIN_LINK_INVALID']))
    expect(Object.keys(await rolesOf(room, owner))).toHaveLength(16)
    const stored = await chat.mysql.query('SELECT uses FROM room_links WHERE id = ?', [link_id])
    expect(stored).toEqual([{ uses: 15 }])
  })

  it('a join link is not used up by existing members', async () => {
    const [owner, mina, late] = await chat.people(3)
    const room = await groupOf(owner)
    const { token, link_id } = await link(owner, room, { max_uses: 1 })
    for (let time = 0; time < 3; time++) {
      expect((await chat.as(owner, 'POST', `/rooms/join/${token}`)).body.room_id).toBe(room)
    }
    // A retry by the user who used the last slot of the link also succeeds.
    const joins = Array.from({ length: 5 }, () => chat.as(mina, 'POST', `/rooms/join/${token}`))
    expect((await Promise.all(joins)).map(({ status }) => status)).toEqual(Array(5).fill(200))
    expect(await chat.mysql.query('SELECT uses FROM room_links WHERE id = ?', [link_id])).toEqual([
      { uses: 1 },
    ])
    expect((await chat.as(late, 'POST', `/rooms/join/${token}`)).body.code).toBe('JOIN_LINK_INVALID')
  })

  it('a revoked or expired join link, or one of a deleted room, is refused', async () => {
    const [owner, mina] = await chat.people(2)
    const room = await groupOf(owner)
    const [revoked, expired, orphaned] = [
      await link(owner, room),
      await link(owner, room),
      await link(owner, room),
    ]
    await chat.as(owner, 'DELETE', `/rooms/${room}/links/${revoked.link_id}`)
    await chat.mysql.query(
      'UPDATE room_links SET expires_at = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND WHERE id = ?',
      [expired.link_id],
    )
    const listed = (await chat.as(owner, 'GET', `/rooms/${room}/links`)).body.items
    expect(listed.map(({ link_id }: { link_id: number }) => link_id)).toEqual([orphaned.link_id])
    expect(JSON.stringify(listed)).not.toContain(orphaned.token)
    await chat.as(owner, 'DELETE', `/rooms/${room}`)
    for (const { token } of [revoked, expired, orphaned, { token: 'x'.repeat(24) }]) {
      expect((await chat.as(mina, 'POST', `/rooms/join/${token}`)).body.code).toBe('JOIN_LINK_INVALID')
    }
  })

  it('a removed member can return by an invitation but not by a join link', async () => {
    const [owner, mina] = await chat.people(2)
    const room = await groupOf(owner, mina)
    const { token } = await link(owner, room)
    await chat.as(owner, 'DELETE', `/rooms/${room}/members/${mina}`)
    expect((await chat.as(mina, 'POST', `/rooms/join/${token}`)).body.code).toBe('JOIN_LINK_INVALID')
    await chat.as(owner, 'POST', `/rooms/${room}/members`, { member_ids: [mina] })
    await chat.as(mina, 'POST', `/rooms/${room}/leave`)
    expect((await chat.as(mina, 'POST', `/rooms/join/${token}`)).status).toBe(200)
  })

  it('a room has at most 20 active join links, whose tokens appear in no log and no response', async () => {
    const [owner] = await chat.people(1)
    const room = await groupOf(owner)
    for (let count = 0; count < 20; count++) await link(owner, room, { max_uses: 1 })
    const full = await chat.as(owner, 'POST', `/rooms/${room}/links`, {})
    expect(full.body.code).toBe('JOIN_LINK_LIMIT')
    await chat.mysql.query('UPDATE room_links SET uses = 1 WHERE room_id = ? LIMIT 1', [room])
    expect((await chat.as(owner, 'POST', `/rooms/${room}/links`, {})).status).toBe(201)
    // Also when a browser opens the path as a page, or the path has a suffix.
    for (const [method, rest] of [
      ['POST', ''],
      ['GET', ''],
      ['POST', '/x'],
      ['POST', '?a=b'],
    ] as const) {
      const answer = await chat.as(owner, method, `/rooms/join/secret-token-of-somebody${rest}`)
      expect(answer.body.instance, `${method} ${rest}`).toBe('/rooms/join/:token')
    }
  })
})
