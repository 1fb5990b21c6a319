import { type accountMailPurpose, accountMailRequested, uuidv7 } from '@bigtech/contracts'
import { startHttpServer, type TestHttpServer, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { z } from 'zod'
import { type Harness, newIds, startHarness } from '../../../testing/harness.ts'
import { headerOf } from '../../../testing/mail-catcher.ts'

type Purpose = z.infer<typeof accountMailPurpose>

/** The links known to the fake user-service; others get 404. */
const links = new Map<string, { purpose: Purpose; email: string; locale: string; token: string }>()
let isDown = false
let userService: TestHttpServer
let harness: Harness

beforeAll(async () => {
  userService = await startHttpServer((request, response) => {
    if (isDown) return response.writeHead(503).end()
    const link = links.get(request.url?.split('/').at(-1) ?? '')
    if (request.method !== 'POST' || !link) return response.writeHead(404).end()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ ...link, expires_at: new Date(Date.now() + 60_000).toISOString() }))
  })
  harness = await startHarness({ JWKS_URL: `${userService.url}/.well-known/jwks.json` })
})
afterAll(async () => {
  await harness.stop()
  await userService.close()
})

async function request(
  purpose: Purpose,
  locale: string,
  more: object = {},
): Promise<{ userId: number; email: string; token: string }> {
  const [userId] = newIds(1) as [number]
  const link_id = crypto.randomUUID()
  const link = { purpose, email: `link${userId}@example.com`, locale, token: `secret-${uuidv7()}`, ...more }
  links.set(link_id, link)
  await harness.publish(accountMailRequested, { user_id: userId, link_id, purpose })
  return { userId, ...link }
}
const mailsTo = (email: string) => harness.mail.mails.filter(({ to }) => to === email)
/** Returns the decoded body of a mail. */
const bodyOf = (raw: string) => {
  const body = raw.slice(raw.indexOf('\r\n\r\n'))
  return /base64/i.test(raw)
    ? Buffer.from(body, 'base64').toString()
    : body
        .replace(/=\r\n/g, '')
        .replace(/=([0-9A-F]{2})/g, (_whole, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
}

it.each([
  ['verify_email', '/account/email/confirm'],
  ['change_email', '/account/email/confirm'],
  ['undo_email', '/account/email/undo'],
  ['reset_password', '/account/password/reset'],
  ['end_session', '/account/sessions/report'],
  ['download_export', '/account/export'],
] as const)(
  'the link to %s is mailed to the address from user-service, and no token is stored',
  async (purpose, path) => {
    const { userId, email, token } = await request(purpose, 'en')
    const [mail] = await waitFor(() => mailsTo(email).length > 0 && mailsTo(email))
    expect(bodyOf(mail!.raw)).toContain(`http://localhost:8000${path}#token=${token}`)
    await harness.deliveriesOf(
      userId,
      ([delivery]) => delivery?.state === 'sent' && delivery.kind === purpose,
    )
    for (const table of ['deliveries', 'inbox']) {
      expect(JSON.stringify(await harness.mysql.query(`SELECT * FROM ${table}`))).not.toContain(token)
    }
  },
)

it('the mail about a sign-in names its device, network and time', async () => {
  const { email } = await request('end_session', 'en', {
    sign_in: { device: 'Chrome on Windows', ip_prefix: '203.0.113.0/24', at: '2026-01-27T10:00:00.000Z' },
  })
  const [mail] = await waitFor(() => mailsTo(email).length > 0 && mailsTo(email))
  const said = ['Device: Chrome on Windows', 'Network: 203.0.113.0/24', 'Time: 2026-01-27 10:00:00 UTC']
  for (const line of said) expect(bodyOf(mail!.raw)).toContain(line)
})

it('account mail uses the language of the account', async () => {
  const { email } = await request('reset_password', 'ko-KR')
  const [mail] = await waitFor(() => mailsTo(email).length > 0 && mailsTo(email))
  expect(headerOf(mail!, 'Subject')).toBe('BigTech Chat 비밀번호 재설정')
})

it('account mail waits for an unavailable user-service, and nothing is sent for an invalid link', async () => {
  isDown = true
  const waiting = await request('verify_email', 'en')
  await harness.deliveriesOf(waiting.userId, ([delivery]) => delivery?.state === 'pending')
  isDown = false
  harness.clockOffset = 10_000
  await waitFor(() => mailsTo(waiting.email).length === 1)
  const [userId] = newIds(1) as [number]
  const link_id = crypto.randomUUID()
  await harness.publish(accountMailRequested, { user_id: userId, link_id, purpose: 'verify_email' })
  await harness.deliveriesOf(userId, ([delivery]) => delivery?.state === 'withdrawn')
})
