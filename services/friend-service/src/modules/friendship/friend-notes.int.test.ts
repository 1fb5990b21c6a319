import { userDeleted, userRegistered } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Harness, newUsers, startHarness } from '../../../testing/harness.ts'
import { scenesOf } from '../../../testing/scenes.ts'

let harness: Harness
let me: number
let friends: number[]
beforeAll(async () => {
  harness = await startHarness({ listen: true })
})
beforeEach(async () => {
  ;[me, ...friends] = newUsers(6) as [number, ...number[]]
  for (const friend of friends) await befriend(me, friend)
})
afterAll(() => harness.stop())
const { befriend, idsOf } = scenesOf(() => harness)

const note = (friend: number, change: object, by = me) =>
  harness.call(by, 'PATCH', `/friends/${friend}`, change)
const ask = (from: number, to: number, message?: string) =>
  harness.call(from, 'POST', '/friends/request', { target_user_id: to, ...(message ? { message } : {}) })
const accept = (who: number, from: string) =>
  harness.call(who, 'PUT', '/friends/settings', { requests_from: from })

describe('a note about a friend', () => {
  it('a note about a friend keeps omitted fields, is visible to its owner only, and is published by FriendNoteChanged', async () => {
    const [friend] = friends as [number]
    expect((await note(friend, { nickname: '우리 지수', favourite: true })).body).toEqual({
      user_id: friend,
      nickname: '우리 지수',
      favourite: true,
      hidden: false,
    })
    expect((await note(friend, { nickname: null })).body).toMatchObject({ nickname: null, favourite: true })
    const theirs = (await harness.call(friend, 'GET', '/friends')).body.items!
    expect(theirs.find(({ user_id }) => user_id === me)).toMatchObject({ nickname: null, favourite: false })
    expect((await harness.eventsOf(me, friend)).at(-1)).toMatchObject({
      event_type: 'FriendNoteChanged',
      user_id: me,
      friend_id: friend,
    })
  })

  it('a note is rejected in the same way for a non-friend and an unknown user', async () => {
    const [stranger] = newUsers(1) as [number]
    for (const who of [stranger, 987_654_321])
      expect((await note(who, { favourite: true })).body.code).toBe('FRIENDSHIP_NOT_FOUND')
    expect((await note(friends[0]!, {})).status).toBe(422)
    expect((await note(friends[0]!, { nickname: ' ' })).status).toBe(422)
  })

  it('a note can hide a friend from both orders of the list, and hidden friends are listed on request', async () => {
    const hidden = friends[2]!
    await note(hidden, { hidden: true })
    for (const sort of ['recent', 'name']) {
      expect(await idsOf(me, `/friends?sort=${sort}`)).not.toContain(hidden)
      expect(await idsOf(me, `/friends?sort=${sort}`)).toHaveLength(4)
      expect(await idsOf(me, `/friends?sort=${sort}&show=hidden`)).toEqual([hidden])
    }
  })

  it('a note is erased with either account', async () => {
    const [kept, gone] = friends as [number, number]
    await note(gone, { nickname: 'gone' })
    await note(me, { nickname: 'me' }, gone)
    await note(me, { nickname: 'me' }, kept)
    await harness.publish(userDeleted, {
      user_id: gone,
      deletion_id: crypto.randomUUID(),
      message_policy: 'keep',
    })
    await waitFor(
      async () =>
        (await harness.mysql.query('SELECT 1 FROM friend_notes WHERE ? IN (owner_id, friend_id)', [gone]))
          .length === 0,
    )
    expect(await harness.mysql.query('SELECT 1 FROM friend_notes WHERE owner_id = ?', [kept])).toHaveLength(1)
  })
})

it('friends are listed as an address book, page by page, by nickname if present', async () => {
  const names = ['나은', 'bob', '가람', '田中', '까치']
  for (const [index, userId] of friends.entries()) {
    const display_name = names[index]!
    await harness.publish(userRegistered, {
      user_id: userId,
      username: `u${userId}`,
      display_name,
      email: 'x@example.com',
      profile_version: 1,
    })
  }
  await waitFor(
    async () =>
      (await harness.mysql.query('SELECT 1 FROM people WHERE user_id IN (?) AND version = 1', [friends]))
        .length === friends.length,
  )
  await note(friends[1]!, { nickname: '바비' })
  const listed: [unknown, unknown][] = []
  for (let cursor: unknown = ''; cursor !== null; ) {
    const url = `/friends?sort=name&limit=2${cursor ? `&cursor=${cursor}` : ''}`
    const { body } = await harness.call(me, 'GET', url)
    for (const { user_id, index_letter } of body.items!) listed.push([user_id, index_letter])
    cursor = body.next_cursor
  }
  const of = (name: string) => friends[names.indexOf(name)]
  // The index letter follows the displayed name, here `User 1001` from user-service.
  expect(listed.map(([userId]) => userId)).toEqual(['가람', '까치', '나은', 'bob', '田中'].map(of))
  expect(listed[3]).toEqual([of('bob'), 'ㅂ'])
})

describe('a friend request', () => {
  it('a friend request delivers its message to the receiver, and a repeated request its new message', async () => {
    const [mina, joon] = newUsers(2) as [number, number]
    const { body } = await ask(mina, joon, '안녕하세요')
    const incoming = async () => (await harness.call(joon, 'GET', '/friends/requests')).body.items![0]
    expect(await incoming()).toMatchObject({ from_user_id: mina, message: '안녕하세요' })
    await harness.call(mina, 'DELETE', `/friends/requests/${body.request_id}`)
    await ask(mina, joon)
    expect(await incoming()).toMatchObject({ message: null })
  })

  it('a friend request is rejected by a user who accepts none, unless it crosses their own request', async () => {
    const [mina, joon] = newUsers(2) as [number, number]
    expect((await accept(joon, 'nobody')).body).toEqual({ requests_from: 'nobody' })
    expect((await harness.call(joon, 'GET', '/friends/settings')).body).toEqual({ requests_from: 'nobody' })
    const refused = await ask(mina, joon)
    expect([refused.status, refused.body.code]).toEqual([403, 'FRIEND_REQUESTS_CLOSED'])
    await ask(joon, mina)
    expect((await ask(mina, joon)).body.status).toBe('accepted')
  })

  it('a receiver can accept friend requests only from friends of friends', async () => {
    const [joon, common, stranger] = newUsers(3) as [number, number, number]
    await befriend(joon, common)
    await befriend(common, me)
    await accept(joon, 'friends_of_friends')
    expect((await ask(stranger, joon)).body.code).toBe('FRIEND_REQUESTS_CLOSED')
    expect((await ask(me, joon)).status).toBe(201)
  })

  it('the response to a friend request does not reveal the setting to a blocked user', async () => {
    const [mina, joon] = newUsers(2) as [number, number]
    await accept(joon, 'nobody')
    await harness.call(joon, 'POST', `/friends/${mina}/block`)
    expect((await ask(mina, joon)).body.code).toBe('USER_NOT_FOUND')
  })
})
