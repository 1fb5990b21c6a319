import { onlineStatusChanged, userUpdated } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Harness, newUsers, startHarness } from '../../../testing/harness.ts'
import { scenesOf } from '../../../testing/scenes.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness({ listen: true })
})
afterAll(() => harness.stop())
beforeEach(() => {
  harness.userService.calls.length = 0
})
const { befriend } = scenesOf(() => harness)

const profileOf = (userId: number, displayName: string, version: number) => ({
  ...{ user_id: userId, username: `user${userId}`, display_name: displayName, profile_version: version },
  ...{ status_message: null, profile_image_url: null },
})

/** Two friends who are online and of whom events have arrived. */
async function twoFriends() {
  const [mina, joon] = newUsers(2) as [number, number]
  for (const userId of [mina, joon]) harness.userService.online.set(userId, true)
  await befriend(mina, joon)
  await harness.publish(userUpdated, profileOf(joon, '준', 1))
  await waitFor(async () => (await friendOf(mina)).display_name === '준', { what: 'the name of the event' })
  return { mina, joon }
}

async function friendOf(userId: number) {
  const { body } = await harness.call(userId, 'GET', '/friends')
  return body.items![0]!
}

const presenceCalls = () => harness.userService.calls.filter((path) => path === '/users/presence').length

describe('the list of friends', () => {
  it('the list of friends shows a changed name without a call to user-service', async () => {
    const { mina, joon } = await twoFriends()
    harness.userService.calls.length = 0
    await harness.publish(userUpdated, profileOf(joon, '준오', 2))
    await waitFor(async () => (await friendOf(mina)).display_name === '준오', { what: 'the new name' })
    expect(harness.userService.calls).not.toContain('/users')
  })

  it('the list of friends shows the full name of a friend of whom no event has arrived yet', async () => {
    const [mina, joon] = newUsers(2) as [number, number]
    await befriend(mina, joon)
    // Of the sender of a request only the username is known, from the access token.
    expect((await friendOf(joon)).display_name).toBe(`User ${mina}`)
  })

  it('the list of friends asks once for presence, and again when a friend goes offline', async () => {
    const { mina, joon } = await twoFriends()
    const isCached = async () => {
      const before = presenceCalls()
      expect((await friendOf(mina)).online).toBe(true)
      return presenceCalls() === before
    }
    // The event with the name drops cached presence as well, at any moment.
    await waitFor(isCached, { what: 'a list without a call for presence' })
    harness.userService.online.set(joon, false)
    await harness.publish(onlineStatusChanged, {
      ...{ user_id: joon, online: false, last_seen_at: new Date().toISOString() },
      visibility: 'everyone',
    })
    await waitFor(async () => (await friendOf(mina)).online === false, { what: 'the friend offline' })
  })

  it('the list of friends asks again for presence when the viewer hides presence', async () => {
    const { mina, joon } = await twoFriends()
    expect((await friendOf(mina)).online).toBe(true)
    harness.userService.online.set(joon, null)
    await harness.publish(userUpdated, profileOf(mina, '미나', 2))
    await waitFor(async () => (await friendOf(mina)).online === null, { what: 'hidden presence' })
  })

  it('the list of friends hides presence from both as soon as one restricts the other', async () => {
    const { mina, joon } = await twoFriends()
    for (const userId of [mina, joon]) expect((await friendOf(userId)).online).toBe(true)
    await harness.call(mina, 'POST', `/friends/${joon}/restriction`)
    for (const userId of [mina, joon])
      expect(await friendOf(userId)).toMatchObject({ online: null, last_seen_at: null })
  })

  it('the list of friends omits a blocked friend at once', async () => {
    const { mina, joon } = await twoFriends()
    await harness.call(mina, 'POST', `/friends/${joon}/block`)
    for (const userId of [mina, joon])
      expect((await harness.call(userId, 'GET', '/friends')).body.items).toEqual([])
  })
})
