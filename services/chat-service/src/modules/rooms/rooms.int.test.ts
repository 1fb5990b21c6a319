import { pictureUrlOf, roomCreated, roomUpdated } from '@bigtech/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestChat, type TestChat } from '../../../testing/chat.ts'
import { type FakeMediaService, startFakeMediaService } from '../../../testing/fake-media-service.ts'

let chat: TestChat
let media: FakeMediaService

beforeAll(async () => {
  media = await startFakeMediaService()
  chat = await startTestChat({ MEDIA_SERVICE_URL: media.url })
  await chat.untilReady()
}, 60_000)
afterAll(async () => {
  await chat?.close()
  await media?.close()
})

describe('createRoom', () => {
  it('creating a room creates a group of friends owned by its creator', async () => {
    const [owner, mina, jun] = await chat.people(3)
    await chat.befriend(owner, mina, jun)
    const { status, body } = await chat.as(owner, 'POST', '/rooms', {
      name: '주말 등산',
      member_ids: [mina, jun, mina, owner],
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      room_type: 'group',
      name: '주말 등산',
      title: '주말 등산',
      member_count: 3,
      role: 'owner',
      last_seq: 0,
      unread_count: 0,
    })
    const seen = await chat.as(mina, 'GET', `/rooms/${body.room_id}`)
    expect(seen).toMatchObject({ status: 200, body: { role: 'member', member_count: 3 } })
  })

  it('creating a room names the users who cannot be added, for any reason, and adds nobody', async () => {
    const [owner, friend, stranger, open, blocker, blocked] = await chat.people(6)
    await chat.befriend(owner, friend)
    await chat.block(blocker, owner)
    await chat.block(owner, blocked)
    for (const each of [open, blocker, blocked]) {
      await chat.as(each, 'PUT', '/rooms/settings/me', { strangers_may_add: true })
    }
    const { status, body } = await chat.as(owner, 'POST', '/rooms', {
      member_ids: [friend, stranger, open, blocker, blocked],
    })
    expect(status).toBe(403)
    expect(body.code).toBe('MEMBER_NOT_ADDABLE')
    const message = 'Cannot be added.'
    expect(body.errors).toEqual([1, 3, 4].map((index) => ({ field: `member_ids.${index}`, message })))
    expect((await chat.as(friend, 'GET', '/rooms')).body.items).toEqual([])
    expect((await chat.as(owner, 'POST', '/rooms', { member_ids: [friend, open] })).status).toBe(201)
  })

  it('creating a room publishes RoomCreated', async () => {
    const [owner] = await chat.people(1)
    const { body } = await chat.as(owner, 'POST', '/rooms', { name: 'events' })
    const event = await chat.eventOf(roomCreated, ({ room_id }) => room_id === body.room_id)
    expect(event).toMatchObject({
      room_type: 'group',
      name: 'events',
      created_by: owner,
      member_ids: [owner],
    })
  })
})

describe('openDirectRoom', () => {
  it('opening a direct room returns the same room to 50 concurrent callers from both sides and two processes', async () => {
    const [a, b] = await chat.people(2)
    await chat.befriend(a, b)
    const second = await chat.another()
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        index % 2
          ? chat.as(a, 'PUT', `/rooms/direct/${b}`, undefined, second)
          : chat.as(b, 'PUT', `/rooms/direct/${a}`),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200))
    const roomId = answers[0]!.body.room_id
    expect(new Set(answers.map(({ body }) => body.room_id))).toEqual(new Set([roomId]))
    const rows = await chat.mysql.query('SELECT user_id FROM room_members WHERE room_id = ?', [roomId])
    expect(rows).toHaveLength(2)
    const counts = await chat.mysql.query('SELECT rooms FROM room_counts WHERE user_id IN (?, ?)', [a, b])
    expect(counts).toEqual([{ rooms: 1 }, { rooms: 1 }])
  })

  it.each([['stranger'], ['blocked'], ['blocker'], ['yourself'], ['nobody']])(
    'opening a direct room is rejected with %s',
    async (who) => {
      const [me, other] = await chat.people(2)
      if (who === 'blocked' || who === 'blocker') await chat.befriend(me, other)
      if (who === 'blocked') await chat.block(me, other)
      if (who === 'blocker') await chat.block(other, me)
      const target = who === 'yourself' ? me : who === 'nobody' ? 2 ** 40 : other
      const { status, body } = await chat.as(me, 'PUT', `/rooms/direct/${target}`)
      expect({ status, code: body.code }).toEqual({ status: 403, code: 'DIRECT_MESSAGE_REFUSED' })
    },
  )

  it('a direct room shows the other user as title and peer', async () => {
    const [a, b] = await chat.people(2)
    await chat.befriend(a, b)
    await chat.name(b, 'jisoo', '지수')
    const { body } = await chat.as(a, 'PUT', `/rooms/direct/${b}`)
    expect(body).toMatchObject({
      room_type: 'direct',
      name: null,
      title: '지수',
      peer: { user_id: b, username: 'jisoo' },
    })
  })

  it.each([
    ['PATCH', '', { name: 'x' }],
    ['DELETE', '', undefined],
    ['POST', '/members', { member_ids: [1] }],
    ['POST', '/leave', undefined],
    ['POST', '/links', {}],
    ['GET', '/links', undefined],
  ])('a direct room cannot be managed: %s %s', async (method, path, payload) => {
    const [a, b] = await chat.people(2)
    await chat.befriend(a, b)
    const room = (await chat.as(a, 'PUT', `/rooms/direct/${b}`)).body.room_id
    const { status, body } = await chat.as(a, method, `/rooms/${room}${path}`, payload)
    expect({ status, code: body.code }).toEqual({ status: 403, code: 'ROOM_IS_DIRECT' })
  })
})

describe('updateRoom and settings', () => {
  it('a room update changes the given fields and keeps the others', async () => {
    const [owner] = await chat.people(1)
    const { file_id } = media.file()
    const room = (await chat.as(owner, 'POST', '/rooms', { name: 'before', image_file_id: file_id })).body
    const renamed = await chat.as(owner, 'PATCH', `/rooms/${room.room_id}`, { name: 'after' })
    expect(renamed.body).toMatchObject({
      name: 'after',
      image_url: pictureUrlOf(file_id),
      history_visibility: 'all',
    })
    const cleared = await chat.as(owner, 'PATCH', `/rooms/${room.room_id}`, {
      image_url: null,
      history_visibility: 'since_join',
    })
    expect(cleared.body).toMatchObject({ name: 'after', image_url: null, history_visibility: 'since_join' })
    expect((await chat.as(owner, 'PATCH', `/rooms/${room.room_id}`, {})).status).toBe(422)
    expect((await chat.as(owner, 'PATCH', `/rooms/${room.room_id}`, { owner: 1 })).status).toBe(422)
    for (const name of ['a\nb', 'a\0b', 'a\u202eb', 'half \ud83d'])
      expect((await chat.as(owner, 'PATCH', `/rooms/${room.room_id}`, { name })).status).toBe(422)
    const family = { name: '👨‍👩‍👧 가족' }
    expect((await chat.as(owner, 'PATCH', `/rooms/${room.room_id}`, family)).body).toMatchObject(family)
  })

  it('a room update accepts an uploaded picture and announces it by events', async () => {
    const [owner, admin] = await chat.people(2)
    await chat.befriend(owner, admin)
    const [first, second] = [media.file(), media.file()]
    const created = await chat.as(owner, 'POST', '/rooms', {
      member_ids: [admin],
      image_file_id: first.file_id,
    })
    const { room_id } = created.body
    expect(created.body.image_url).toBe(`/api/pictures/${first.file_id}`)
    expect(await chat.eventOf(roomCreated, (event) => event.room_id === room_id)).toMatchObject({
      image_url: pictureUrlOf(first.file_id),
    })
    const change = (userId: number, body: object) => chat.as(userId, 'PATCH', `/rooms/${room_id}`, body)
    expect((await change(admin, { image_file_id: second.file_id })).body.code).toBe('ROLE_REQUIRED')
    await chat.as(owner, 'PUT', `/rooms/${room_id}/members/${admin}/role`, { role: 'admin' })
    expect(
      (await change(admin, { image_url: `https://chat.example/api/pictures/${second.file_id}` })).body,
    ).toMatchObject({ image_url: pictureUrlOf(second.file_id) })
    expect(await chat.eventOf(roomUpdated, (event) => event.room_id === room_id)).toMatchObject({
      image_url: pictureUrlOf(second.file_id),
      changed: ['image_url'],
    })
    expect((await change(owner, { image_url: null })).body.image_url).toBe(null)
  })

  it.each(['FILE_NOT_FOUND', 'FILE_NOT_READY', 'FILE_KIND_MISMATCH'] as const)(
    'a room keeps its picture when media-service returns %s for another one, and the response has the reason',
    async (code) => {
      const [owner] = await chat.people(1)
      const { file_id } = media.file()
      const { body: room } = await chat.as(owner, 'POST', '/rooms', { image_file_id: file_id })
      const refused = await chat.as(owner, 'PATCH', `/rooms/${room.room_id}`, {
        name: 'new',
        image_file_id: media.refusing(code),
      })
      expect(refused.body).toMatchObject({ code, detail: `detail of ${code}` })
      expect((await chat.as(owner, 'GET', `/rooms/${room.room_id}`)).body).toMatchObject({
        name: null,
        image_url: pictureUrlOf(file_id),
      })
      expect(
        (await chat.as(owner, 'POST', '/rooms', { image_file_id: media.refusing(code) })).body.code,
      ).toBe(code)
    },
  )

  it('a room accepts its present picture from an admin who did not upload it', async () => {
    const [owner] = await chat.people(1)
    const { body: room } = await chat.as(owner, 'POST', '/rooms', { image_file_id: media.file().file_id })
    const present = pictureUrlOf(media.refusing('FILE_NOT_FOUND'))
    await chat.mysql.query('UPDATE rooms SET image_url = ? WHERE id = ?', [present, room.room_id])
    const body = { name: 'renamed', image_url: present }
    expect(await chat.as(owner, 'PATCH', `/rooms/${room.room_id}`, body)).toMatchObject({ status: 200, body })
  })

  it.each([
    ['a picture on another server', { image_url: 'https://cdn.example.com/a.png' }, 'image_url'],
    ['a script', { image_url: 'javascript:x' }, 'image_url'],
    ['a file that is none', { image_file_id: 'x' }, 'image_file_id'],
    [
      'two pictures',
      { image_file_id: crypto.randomUUID(), image_url: pictureUrlOf(crypto.randomUUID()) },
      'image_url',
    ],
  ])(
    '%s is rejected for a new and for an existing group, and the response names the field',
    async (_case, body, field) => {
      const [owner] = await chat.people(1)
      const { body: room } = await chat.as(owner, 'POST', '/rooms', {})
      for (const [method, path] of [
        ['POST', '/rooms'],
        ['PATCH', `/rooms/${room.room_id}`],
      ] as const) {
        const answer = await chat.as(owner, method, path, body)
        expect({
          status: answer.status,
          fields: answer.body.errors.map((e: { field: string }) => e.field),
        }).toEqual({
          status: 422,
          fields: [field],
        })
      }
    },
  )

  it('muting until a time, pinning and archiving a room affect the caller alone', async () => {
    const [owner, mina] = await chat.people(2)
    await chat.befriend(owner, mina)
    const room = (await chat.as(owner, 'POST', '/rooms', { member_ids: [mina] })).body.room_id
    const until = new Date(Date.now() + 3_600_000).toISOString()
    const url = `/rooms/${room}/settings`
    expect((await chat.as(mina, 'PUT', url, { muted: true, muted_until: until, pinned: true })).body).toEqual(
      {
        room_id: room,
        muted: true,
        muted_until: until,
        pinned: true,
        archived: false,
      },
    )
    expect((await chat.as(mina, 'PUT', url, { archived: true })).body).toMatchObject({
      muted: true,
      pinned: true,
    })
    expect((await chat.as(mina, 'GET', '/rooms')).body.items).toEqual([])
    expect((await chat.as(mina, 'GET', '/rooms?archived=true')).body.items).toHaveLength(1)
    expect((await chat.as(owner, 'GET', `/rooms/${room}`)).body).toMatchObject({
      muted: false,
      archived: false,
    })
    expect((await chat.as(mina, 'PUT', url, { muted: true })).body).toMatchObject({
      muted: true,
      muted_until: null,
    })
    expect((await chat.as(mina, 'PUT', url, { muted: false })).body).toMatchObject({ muted: false })
    expect((await chat.as(mina, 'PUT', url, { muted_until: until })).status).toBe(422)
    expect(
      (await chat.as(mina, 'PUT', url, { muted: true, muted_until: '2020-01-01T00:00:00Z' })).status,
    ).toBe(422)
    // In UTC this is the year 10000.
    const never = { muted: true, muted_until: '9999-12-31T23:59:59-12:00' }
    expect((await chat.as(mina, 'PUT', url, never)).status).toBe(422)
  })

  it('deleting a group deletes it for everybody', async () => {
    const [owner, mina] = await chat.people(2)
    await chat.befriend(owner, mina)
    const room = (await chat.as(owner, 'POST', '/rooms', { member_ids: [mina] })).body.room_id
    expect((await chat.as(owner, 'DELETE', `/rooms/${room}`)).status).toBe(204)
    for (const who of [owner, mina]) {
      expect((await chat.as(who, 'GET', `/rooms/${room}`)).body.code).toBe('ROOM_NOT_FOUND')
      expect((await chat.as(who, 'GET', '/rooms')).body.items).toEqual([])
    }
    expect((await chat.as(owner, 'DELETE', `/rooms/${room}`)).status).toBe(404)
  })
})

describe('exportChatData', () => {
  it("the export contains the caller's rooms and messages, and nobody else's", async () => {
    const [owner, mina] = await chat.people(2)
    await chat.befriend(owner, mina)
    const room = (await chat.as(owner, 'POST', '/rooms', { name: 'mine', member_ids: [mina] })).body.room_id
    await chat.as(owner, 'POST', `/messages/${room}`, { content: 'of the owner' })
    await chat.as(mina, 'POST', `/messages/${room}`, { content: 'of mina' })
    const { status, body } = await chat.as(owner, 'GET', '/rooms/export')
    expect(status).toBe(200)
    expect(body).toMatchObject({ user_id: owner, settings: { strangers_may_add: false } })
    expect(body.rooms).toEqual([expect.objectContaining({ room_id: room, name: 'mine', role: 'owner' })])
    expect(body.messages).toEqual([expect.objectContaining({ content: 'of the owner' })])
  })
})
