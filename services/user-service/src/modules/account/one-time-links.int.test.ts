import type { accountMailPurpose } from '@bigtech/contracts'
import { startHttpServer, type TestHttpServer, uniqueName, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { z } from 'zod'
import {
  PASSWORD,
  type Person,
  type TestService,
  type TestWorld,
  testWorld,
} from '../../../testing/harness.ts'

type Purpose = z.infer<typeof accountMailPurpose>

interface Link {
  /** Makes user-service send the link. */
  readonly cause?: (person: Person) => Promise<unknown>
  /** The operation that uses the link, and what its body has besides the token. */
  readonly path: string
  readonly body?: object
  /** Uses it as the person. */
  readonly isSignedIn?: boolean
}

let world: TestWorld
let users: TestService
/** Stands in for every service that has a part in an export. */
let neighbor: TestHttpServer

beforeAll(async () => {
  world = await testWorld()
  neighbor = await startHttpServer((_request, response) => response.end('{}'))
  const { url } = neighbor
  users = await world.build({
    FRIEND_SERVICE_URL: url,
    CHAT_SERVICE_URL: url,
    NOTIFICATION_SERVICE_URL: url,
    MEDIA_SERVICE_URL: url,
  })
  await waitFor(async () => (await users.call('GET', '/ready')).status === 200, { timeoutMs: 30_000 })
}, 60_000)
afterAll(async () => {
  await world?.close()
  await neighbor?.close()
})

const changeEmail = ({ token }: Person) => {
  const body = { email: `${uniqueName('new')}@example.com`, password: PASSWORD }
  return users.call('PUT', '/auth/email', { token, body })
}

/** Every link that a mail can carry: a new one does not compile until it is listed here. */
const links: Readonly<Record<Purpose, Link>> = {
  verify_email: { path: '/auth/email/confirm' },
  change_email: { cause: changeEmail, path: '/auth/email/confirm' },
  undo_email: {
    cause: async (person) => {
      await changeEmail(person)
      const token = await mailedToken(person, 'change_email')
      await users.call('POST', '/auth/email/confirm', { body: { token } })
    },
    path: '/auth/email/undo',
  },
  reset_password: {
    cause: ({ email }) => users.call('POST', '/auth/password/forgot', { body: { email } }),
    path: '/auth/password/reset',
    body: { new_password: 'Better5678#$' },
  },
  end_session: { cause: ({ email }) => users.login(email), path: '/auth/sessions/report' },
  download_export: {
    cause: ({ token }) => users.call('POST', '/profile/me/export', { token }),
    path: '/profile/me/export/download',
    isSignedIn: true,
  },
}

/** The token in the newest mail of the kind, as whoever sends the mail gets it. */
async function mailedToken({ userId }: Person, purpose: Purpose): Promise<string> {
  const id = await waitFor(
    async () => {
      const [link] = await world.mysql.query<{ id: string }>(
        'SELECT id FROM account_links WHERE user_id = ? AND purpose = ? AND used_at IS NULL',
        [userId, purpose],
      )
      return link?.id
    },
    { what: `a link to ${purpose}`, timeoutMs: 30_000 },
  )
  return (await users.call('POST', `/internal/account-links/${id}`)).body.token
}

it.each(Object.entries(links) as [Purpose, Link][])(
  'exactly one of 20 concurrent uses of a link to %s succeeds',
  async (purpose, { cause, path, body, isSignedIn }) => {
    const person = await users.person()
    await cause?.(person)
    const token = await mailedToken(person, purpose)
    const call = { body: { token, ...body }, ...(isSignedIn ? { token: person.token } : {}) }
    const answers = await Promise.all(Array.from({ length: 20 }, () => users.call('POST', path, call)))
    const refused = answers.filter(({ status }) => status >= 300)
    expect(answers.length - refused.length).toBe(1)
    for (const answer of refused) expect(answer.body.code).toBe('LINK_INVALID')
  },
  60_000,
)
