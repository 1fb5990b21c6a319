import { uniqueName, waitFor } from '@bigtech/testkit'
import { expect, it } from 'vitest'
import { expectStatus, http, password, signIn, stack } from './stack.ts'

/** A PNG of one pixel. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const PATIENCE_MS = 60_000
const preferences = {
  message_push: true,
  friend_request_push: false,
  mentions_when_muted: false,
  show_preview: false,
  quiet_hours: { start: '22:00', end: '07:00', time_zone: 'Asia/Seoul' },
}

async function register(data: string) {
  const username = uniqueName('g')
  const account = { email: `${username}@example.com`, username, password }
  const picture = { mime: 'image/png', data }
  const { body } = await expectStatus(
    202,
    http('POST', `${stack.gateway}/api/auth/registrations`, {
      json: { ...account, picture, notification_preferences: preferences },
    }),
  )
  const ended = await waitFor(
    async () => {
      const { body: now } = await http('GET', `${stack.user}/auth/registrations/${body.registration_id}`)
      return now.state !== 'running' && now
    },
    { timeoutMs: PATIENCE_MS, what: 'the registration to end' },
  )
  return { account, ended }
}

it('startRegistration: a new account shows its picture and has its preferences from its first sign-in on', async () => {
  const { account, ended } = await register(PIXEL)
  expect(ended).toMatchObject({ state: 'completed', failure: null })
  const { token } = await signIn(account.email)
  const { body: me } = await http('GET', `${stack.user}/profile/me`, { token })
  expect(me.user_id).toBe(ended.user_id)
  const shown = await fetch(stack.gateway + me.profile_image_url)
  expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'image/webp'])
  const own = () => http('GET', `${stack.notification}/notifications/preferences`, { token })
  expect((await own()).body).toEqual(preferences)
}, 90_000)

it('startRegistration: a picture that is none ends the registration, and address and username can be used again', async () => {
  const { account, ended } = await register(Buffer.from('no picture at all').toString('base64'))
  expect(ended).toMatchObject({ state: 'failed', user_id: null, failure: { code: 'PICTURE_REFUSED' } })
  await expectStatus(201, http('POST', `${stack.user}/auth/register`, { json: account }))
}, 90_000)
