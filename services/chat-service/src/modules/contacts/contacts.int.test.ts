import {
  chatDataErased,
  friendRemoved,
  friendRequestAccepted,
  roomMembersChanged,
  userBlocked,
  userDeleted,
  userModerated,
  userRegistered,
  userUnblocked,
  userUpdated,
} from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestChat, type TestChat } from '../../../testing/chat.ts'

let chat: TestChat
let requestId = 0

beforeAll(async () => {
  chat = await startTestChat()
  await chat.untilReady()
}, 60_000)
afterAll(() => chat?.close())

const accept = (a: number, b: number) =>
  chat.publish(friendRequestAccepted, { request_id: ++requestId, from_user_id: a, to_user_id: b })

/** Waits for the 1:1 room of two users and returns its id. */
async function directRoom(a: number, b: number): Promise<number> {
  return waitFor(async () => {
    const { body } = await chat.as(a, 'GET', '/rooms')
    return body.items.find((item: { peer: { user_id: number } | null }) => item.peer?.user_id === b)?.room_id
  })
}

const send = (from: number, room: number, process = chat.services[0]) =>
  chat.as(from, 'POST', `/messages/${room}`, { content: 'hello' }, process)

/** Returns the module's data without time stamps. */
async function everything(): Promise<unknown> {
  const tables = {
    rooms: 'id, room_type, direct_key, name, member_count, deleted_at',
    room_members: 'room_id, user_id, role, joined_at',
    room_counts: 'user_id, rooms',
    contact_users: 'user_id, username, display_name, profile_image_url, deleted_at IS NULL AS here',
    contact_pairs: 'low, high, friends, low_blocks_high, high_blocks_low',
    contact_settings: 'user_id, strangers_may_add',
    outbox: 'event_id',
  }
  const state: Record<string, unknown> = {}
  for (const [table, columns] of Object.entries(tables)) {
    state[table] = await chat.mysql.query(
      `SELECT ${columns} FROM ${table} ORDER BY 1, 2`.replace(', 2', table === 'outbox' ? '' : ', 2'),
    )
  }
  return state
}

describe('friend events', () => {
  it('a new friendship creates the 1:1 room', async () => {
    const [a, b] = await chat.people(2)
    await accept(a, b)
    const room = await directRoom(a, b)
    expect(await directRoom(b, a)).toBe(room)
    expect((await chat.as(b, 'PUT', `/rooms/direct/${a}`)).body.room_id).toBe(room)
    expect((await send(a, room)).status).toBe(201)
  })

  it('a user whose request was just accepted can open the room immediately', async () => {
    const [a, b] = await chat.people(2)
    void accept(a, b)
    expect((await chat.as(a, 'PUT', `/rooms/direct/${b}`)).status).toBe(200)
  })

  it('a block stops direct messages in both directions within 1 s on every process', async () => {
    const second = await chat.another()
    await chat.untilReady()
    const [a, b] = await chat.people(2)
    await accept(a, b)
    const room = await directRoom(a, b)
    const everywhere = () =>
      Promise.all([send(a, room), send(b, room), send(a, room, second), send(b, room, second)])
    await waitFor(async () => (await everywhere()).every(({ status }) => status === 201))
    await chat.publish(userBlocked, { blocker_id: a, blocked_id: b })
    const refused = await waitFor(
      async () => {
        const answers = await everywhere()
        return answers.every(({ status }) => status === 403) && answers
      },
      { timeoutMs: 1_000 },
    )
    expect(refused.map(({ body }) => body.code)).toEqual(Array(4).fill('DIRECT_MESSAGE_REFUSED'))
    expect((await chat.as(b, 'GET', `/messages/${room}`)).status).toBe(200)
    await chat.publish(userUnblocked, { blocker_id: a, blocked_id: b })
    await waitFor(async () => {
      const [pair] = await chat.mysql.query<{ low_blocks_high: number }>(
        'SELECT * FROM contact_pairs WHERE low = ? AND high = ?',
        [a, b],
      )
      return pair?.low_blocks_high === 0
    })
    expect((await send(a, room)).status).toBe(403)
    await accept(b, a)
    await waitFor(async () => (await everywhere()).every(({ status }) => status === 201))
  })

  it('a block survives a restart, even if it follows a friendship with a clock 10 minutes ahead', async () => {
    const [a, b] = await chat.people(2)
    const ahead = new Date(Date.now() + 600_000)
    const friends = { request_id: ++requestId, from_user_id: a, to_user_id: b, pair_version: 2 }
    await chat.publish(friendRequestAccepted, friends, ahead)
    const room = await directRoom(a, b)
    await waitFor(async () => (await send(a, room)).status === 201)
    await chat.publish(userBlocked, { blocker_id: a, blocked_id: b, pair_version: 3 })
    await waitFor(async () => (await send(a, room)).status === 403)
    // A late duplicate of the event before the block, which has no inbox row.
    await chat.publish(friendRequestAccepted, friends, ahead)
    await chat.publish(userBlocked, { blocker_id: b, blocked_id: a + 1_000_000 })
    await waitFor(
      async () =>
        (await chat.mysql.query('SELECT 1 FROM contact_pairs WHERE high = ?', [a + 1_000_000])).length > 0,
    )
    expect(
      await chat.mysql.query('SELECT friends, low_blocks_high, version FROM contact_pairs WHERE low = ?', [
        a,
      ]),
    ).toEqual([{ friends: 0, low_blocks_high: 1, version: 3 }])
    const restarted = await chat.another()
    expect((await send(b, room, restarted)).body.code).toBe('DIRECT_MESSAGE_REFUSED')
  })

  it('the end of a friendship stops direct messages and keeps the history', async () => {
    const [a, b] = await chat.people(2)
    await accept(a, b)
    const room = await directRoom(a, b)
    await waitFor(async () => (await send(a, room)).status === 201)
    await chat.publish(friendRemoved, { user_id: a, friend_id: b })
    let accepted = 1
    await waitFor(
      async () => {
        const { status } = await send(b, room)
        if (status === 201) accepted++
        return status === 403
      },
      { timeoutMs: 1_000 },
    )
    expect((await chat.as(b, 'GET', `/messages/${room}`)).body.items).toHaveLength(accepted)
  })

  it("to the blocked user the blocker's account looks deleted: no name and no image", async () => {
    const [blocker, blocked, deleted, other] = await chat.people(4)
    for (const userId of [blocker, deleted]) await chat.name(userId, `u${userId}`, `User ${userId}`)
    await accept(blocker, blocked)
    await accept(deleted, other)
    const rooms = [await directRoom(blocked, blocker), await directRoom(other, deleted)]
    const shown = async (viewer: number, room: number) => {
      const { title, peer } = (await chat.as(viewer, 'GET', `/rooms/${room}`)).body
      return { title, peer: { ...peer, user_id: null } }
    }
    expect(await shown(blocked, rooms[0]!)).toMatchObject({ title: `User ${blocker}` })
    const deletion = { user_id: deleted, deletion_id: crypto.randomUUID(), message_policy: 'keep' as const }
    await chat.publish(userDeleted, deletion)
    await chat.publish(userBlocked, { blocker_id: blocker, blocked_id: blocked })
    await waitFor(async () => (await shown(other, rooms[1]!)).title === 'unknown user')
    await waitFor(async () => (await shown(blocked, rooms[0]!)).title === 'unknown user')
    expect(await shown(blocked, rooms[0]!)).toEqual(await shown(other, rooms[1]!))
    // Also in a common group, but not in the other direction.
    const group = (await chat.as(blocker, 'POST', '/rooms', { name: 'group' })).body.room_id
    await chat.mysql.query(
      "INSERT INTO room_members (room_id, user_id, role, joined_at) VALUES (?, ?, 'member', UTC_TIMESTAMP(3))",
      [group, blocked],
    )
    await chat.name(blocked, `u${blocked}`, `User ${blocked}`)
    const names = async (viewer: number) =>
      (await chat.as(viewer, 'GET', `/rooms/${group}/members`)).body.items.map(
        (each: { display_name: string }) => each.display_name,
      )
    expect(await names(blocked)).toEqual(['unknown user', `User ${blocked}`])
    expect(await names(blocker)).toEqual([`User ${blocker}`, `User ${blocked}`])
    // No other response distinguishes the two cases.
    const answers = async (me: number, them: number, room: number) => [
      (await chat.as(me, 'PUT', `/rooms/direct/${them}`)).body.code,
      (await send(me, room)).body.code,
      (await chat.as(me, 'POST', '/rooms', { member_ids: [them] })).body.code,
    ]
    expect(await answers(blocked, blocker, rooms[0]!)).toEqual(await answers(other, deleted, rooms[1]!))
  })

  it('a block does not affect a common group', async () => {
    const [a, b] = await chat.people(2)
    await chat.befriend(a, b)
    const room = (await chat.as(a, 'POST', '/rooms', { member_ids: [b] })).body.room_id
    await chat.publish(userBlocked, { blocker_id: a, blocked_id: b })
    await waitFor(async () => (await chat.as(a, 'PUT', `/rooms/direct/${b}`)).status === 403)
    expect((await send(b, room)).status).toBe(201)
  })
})

describe('user events', () => {
  it("a moderator's mute reaches every process within 2 s, survives a restart, and holds until a newer decision lifts it", async () => {
    const second = await chat.another()
    await chat.untilReady()
    const [me] = await chat.people(1)
    const room = (await chat.as(me, 'POST', '/rooms', { name: 'r' })).body.room_id
    const { message_id } = (await send(me, room)).body
    const decide = (decision_id: number, muted_until: string | null) =>
      chat.publish(userModerated, { user_id: me, decision_id, muted_until, suspended_until: null })
    const everywhere = () => Promise.all([send(me, room), send(me, room, second)])
    const code = async (method: string, url: string, body?: unknown) =>
      (await chat.as(me, method, url, body)).body?.code
    await decide(7, new Date(Date.now() + 3_600_000).toISOString())
    await waitFor(async () => (await everywhere()).every(({ body }) => body.code === 'ACCOUNT_MUTED'), {
      timeoutMs: 2_000,
    })
    expect(await code('PATCH', `/messages/${room}/${message_id}`, { content: 'b' })).toBe('ACCOUNT_MUTED')
    expect(await code('POST', `/rooms/${room}/typing`)).toBe('ACCOUNT_MUTED')
    expect((await chat.as(me, 'GET', `/messages/${room}`)).status).toBe(200)
    const restarted = await chat.another()
    await waitFor(async () => (await send(me, room, restarted)).body.code === 'ACCOUNT_MUTED')
    // A stale decision that arrives late.
    await decide(6, null)
    await decide(8, null)
    await waitFor(async () => (await everywhere()).every(({ status }) => status === 201), {
      timeoutMs: 2_000,
    })
    await decide(7, new Date(Date.now() + 3_600_000).toISOString())
    await decide(9, new Date(Date.now() - 1).toISOString())
    await waitFor(
      async () =>
        (await chat.mysql.query('SELECT 1 FROM muted_users WHERE user_id = ? AND decision_id = 9', [me]))
          .length,
    )
    expect((await send(me, room)).status).toBe(201)
  })

  it('names follow the user events', async () => {
    const [me, mina] = await chat.people(2)
    await chat.befriend(me, mina)
    const room = (await chat.as(me, 'POST', '/rooms', { member_ids: [mina] })).body.room_id
    const shown = async () => {
      const { body } = await chat.as(me, 'GET', `/rooms/${room}/members`)
      return body.items.find(({ user_id }: { user_id: number }) => user_id === mina).display_name
    }
    expect(await shown()).toBe('unknown user')
    const name = { user_id: mina, username: 'mina', display_name: '미나' }
    await chat.publish(userRegistered, { ...name, email: 'mina@example.com' })
    await waitFor(async () => (await shown()) === '미나')
    const profile = { status_message: null, profile_image_url: 'https://x.test/m.png' }
    const ahead = new Date(Date.now() + 600_000)
    const update = (display_name: string, profile_version: number, at?: Date) =>
      chat.publish(userUpdated, { ...name, display_name, ...profile, profile_version }, at)
    await update('ahead', 2, ahead)
    await update('미나리', 3)
    await waitFor(async () => (await shown()) === '미나리')
    await update('old', 2, ahead)
    await chat.publish(userUpdated, { ...name, user_id: me, ...profile })
    await waitFor(
      async () => (await chat.mysql.query('SELECT 1 FROM contact_users WHERE user_id = ?', [me])).length,
    )
    expect(await shown()).toBe('미나리')
  })

  it('a deleted account leaves every room, transfers its rooms, and confirms the erasure', async () => {
    const [gone, mina, jun] = await chat.people(3)
    await accept(gone, mina)
    const direct = await directRoom(gone, mina)
    await chat.befriend(gone, jun)
    await chat.name(gone, 'gone', '간사람')
    const shared = (await chat.as(gone, 'POST', '/rooms', { name: 'shared', member_ids: [mina, jun] })).body
      .room_id
    const alone = (await chat.as(gone, 'POST', '/rooms', { name: 'alone' })).body.room_id
    await send(gone, shared)
    await waitFor(async () => (await send(mina, direct)).status === 201)
    const deletion_id = crypto.randomUUID()
    await chat.publish(userDeleted, { user_id: gone, deletion_id, message_policy: 'remove' })
    expect(await chat.eventOf(chatDataErased, (event) => event.deletion_id === deletion_id)).toMatchObject({
      user_id: gone,
    })
    expect(await chat.eventOf(roomMembersChanged, (event) => event.room_id === direct)).toMatchObject({
      removed: [gone],
      reason: 'account_deleted',
    })
    expect((await chat.as(gone, 'GET', '/rooms')).body.items).toEqual([])
    const members = (await chat.as(mina, 'GET', `/rooms/${shared}/members`)).body.items
    expect(members.map(({ user_id, role }: { user_id: number; role: string }) => [user_id, role])).toEqual([
      [mina, 'owner'],
      [jun, 'member'],
    ])
    expect((await chat.as(mina, 'GET', `/rooms/${direct}`)).body).toMatchObject({
      title: 'unknown user',
      peer: { user_id: gone, display_name: 'unknown user' },
    })
    expect((await send(mina, direct)).body.code).toBe('DIRECT_MESSAGE_REFUSED')
    expect((await chat.as(mina, 'GET', `/rooms/${alone}`)).body.code).toBe('ROOM_NOT_FOUND')
    const [said] = (await chat.as(mina, 'GET', `/messages/${shared}`)).body.items
    expect(said).toMatchObject({ content: '', is_deleted: true })
    for (const [table, column] of [
      ['contact_pairs', 'low'],
      ['contact_pairs', 'high'],
      ['room_members', 'user_id'],
      ['room_counts', 'user_id'],
      ['contact_settings', 'user_id'],
    ]) {
      expect(await chat.mysql.query(`SELECT 1 FROM ${table} WHERE ${column} = ?`, [gone])).toEqual([])
    }
    await chat.publish(userUpdated, {
      user_id: gone,
      username: 'back',
      display_name: 'back',
      status_message: null,
      profile_image_url: null,
    })
    await chat.publish(userUpdated, {
      user_id: mina,
      username: 'mina',
      display_name: 'after',
      status_message: null,
      profile_image_url: null,
    })
    await waitFor(
      async () =>
        (await chat.as(jun, 'GET', `/rooms/${shared}/members`)).body.items[0].display_name === 'after',
    )
    expect((await chat.as(mina, 'GET', `/rooms/${direct}`)).body.title).toBe('unknown user')
  })
})

describe('while an account is being deleted', () => {
  it('an account being deleted appears in no new data and cannot be added to a room', async () => {
    const [gone, mina] = await chat.people(2)
    await chat.befriend(gone, mina)
    await chat.name(gone, 'gone', '간사람')
    const open = async (...members: number[]) =>
      (await chat.as(mina, 'POST', '/rooms', { member_ids: members })).body.room_id
    const [shared, other] = [await open(gone), await open()]
    const deletion_id = crypto.randomUUID()
    // A lock on the room delays the deletion.
    await chat.mysql.query('START TRANSACTION')
    await chat.mysql.query('SELECT 1 FROM rooms WHERE id = ? FOR UPDATE', [shared])
    try {
      await chat.publish(userDeleted, { user_id: gone, deletion_id, message_policy: 'keep' })
      await waitFor(
        async () =>
          (await chat.as(mina, 'GET', `/rooms/${shared}/members`)).body.items.find(
            ({ user_id }: { user_id: number }) => user_id === gone,
          ).username === 'unknown user',
        { timeoutMs: 1_500 },
      )
      const invited = await chat.as(mina, 'POST', `/rooms/${other}/members`, { member_ids: [gone] })
      expect(invited.body.code).toBe('MEMBER_NOT_ADDABLE')
    } finally {
      await chat.mysql.query('COMMIT')
    }
    await chat.eventOf(chatDataErased, (event) => event.deletion_id === deletion_id)
    expect(await chat.mysql.query('SELECT 1 FROM room_members WHERE user_id = ?', [gone])).toEqual([])
    const left = await waitFor(async () => (await chat.as(mina, 'GET', `/messages/${shared}`)).body.items[0])
    expect(left).toMatchObject({ user_id: gone, username: 'unknown user', system: { kind: 'member_left' } })
  })

  it('an invitation in flight does not outlive the deletion of the invited account', async () => {
    const [gone, mina] = await chat.people(2)
    await chat.befriend(gone, mina)
    await chat.name(gone, 'gone', '간사람')
    const room = (await chat.as(mina, 'POST', '/rooms', {})).body.room_id
    const deletion_id = crypto.randomUUID()
    await chat.mysql.query('START TRANSACTION')
    await chat.mysql.query('SELECT 1 FROM rooms WHERE id = ? FOR UPDATE', [room])
    const invited = chat.as(mina, 'POST', `/rooms/${room}/members`, { member_ids: [gone] })
    try {
      // The invitation passed its checks and waits for the room.
      const waiting = "SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'"
      // InnoDB refreshes this table only for readers that have not queried it for 100 ms.
      await waitFor(async () => (await chat.mysql.query(waiting)).length > 0, { intervalMs: 150 })
      await chat.publish(userDeleted, { user_id: gone, deletion_id, message_policy: 'keep' })
      await chat.eventOf(chatDataErased, (event) => event.deletion_id === deletion_id)
    } finally {
      await chat.mysql.query('COMMIT')
    }
    expect((await invited).body.code).toBe('MEMBER_NOT_ADDABLE')
    expect(await chat.mysql.query('SELECT 1 FROM room_members WHERE user_id = ?', [gone])).toEqual([])
  })
})

describe('replayed from the start', () => {
  const applied = async (result: string) => {
    const { body } = await chat.as(null, 'GET', '/metrics')
    const counts = [
      ...body.matchAll(
        new RegExp(`kafka_consumer_events_total\\{([^}]*result="${result}"[^}]*)\\} (\\d+)`, 'g'),
      ),
    ]
    return counts.reduce((sum, [, , count]) => sum + Number(count), 0)
  }

  it('replaying friend.events and user.events from the start changes nothing', async () => {
    await waitFor(async () => (await chat.mysql.query('SELECT 1 FROM outbox WHERE sent = 0')).length === 0)
    // Other processes of the group would share the events and the counters.
    await Promise.all(chat.services.slice(1).map((service) => service.stop()))
    const before = await everything()
    const duplicates = await applied('duplicate')
    const replayed = await chat.replay(['friend.events', 'user.events'])
    expect(replayed).toBeGreaterThan(10)
    await waitFor(async () => (await applied('duplicate')) - duplicates >= replayed, { timeoutMs: 30_000 })
    expect(await everything()).toEqual(before)
  })

  it('replaying friend.events changes nothing even without inbox rows', async () => {
    const before = await everything()
    await chat.mysql.query('DELETE FROM inbox')
    const handled = async () =>
      (await applied('applied')) + (await applied('duplicate')) + (await applied('ignored'))
    const handledBefore = await handled()
    const replayed = await chat.replay(['friend.events'])
    // Handled by the group that maintains the copies, and by the process's memory.
    await waitFor(async () => (await handled()) - handledBefore >= 2 * replayed, { timeoutMs: 20_000 })
    expect(await everything()).toEqual(before)
  })
})
