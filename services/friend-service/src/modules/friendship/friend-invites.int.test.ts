import { userDeleted } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type Harness, newUsers, startHarness } from '../../../testing/harness.ts'

let harness: Harness
let owner: number
let guest: number
beforeAll(async () => {
  harness = await startHarness({ listen: true })
})
beforeEach(() => {
  ;[owner, guest] = newUsers(2) as [number, number]
})
afterAll(() => harness.stop())

const create = async () => (await harness.call(owner, 'POST', '/friends/invites')).body.token as string
const look = (token: string, by = guest) => harness.call(by, 'GET', `/friends/invites/${token}`)
const use = (token: string, by = guest) => harness.call(by, 'POST', `/friends/invites/${token}`)

it('an invite link shows its owner and sends them a request even if they accept none otherwise', async () => {
  await harness.call(owner, 'PUT', '/friends/settings', { requests_from: 'nobody' })
  const token = await create()
  expect((await look(token)).body).toMatchObject({ user_id: owner, username: `user${owner}` })
  const sent = await use(token)
  expect([sent.status, sent.body]).toMatchObject([
    201,
    { from_user_id: guest, to_user_id: owner, status: 'pending' },
  ])
  expect((await use(token)).body.code).toBe('FRIEND_REQUEST_EXISTS')
  expect((await use(token, newUsers(1)[0]!)).status).toBe(201)
  expect((await use(token, owner)).body.code).toBe('FRIEND_SELF')
  const stored = await harness.mysql.query<{ hash: string }>(
    'SELECT HEX(token_hash) AS hash FROM friend_invites WHERE owner_id = ?',
    [owner],
  )
  expect(stored[0]!.hash).not.toContain(Buffer.from(token).toString('hex').toUpperCase())
})

it('a link that is unknown, expired, revoked, or of a blocking or deleted owner always gets the same 404', async () => {
  const answers: unknown[] = []
  const note = async (token: string) => {
    for (const { status, body } of [await look(token), await use(token)])
      answers.push([status, body.code, body.detail])
  }
  await note('unknown-token')
  const expired = await create()
  harness.clock += 7 * 86_400_000 + 1
  await note(expired)
  const ended = await create()
  expect((await harness.call(owner, 'DELETE', '/friends/invites')).status).toBe(204)
  await note(ended)
  const token = await create()
  await harness.call(owner, 'POST', `/friends/${guest}/block`)
  await note(token)
  await harness.call(owner, 'DELETE', `/friends/${guest}/block`)
  expect((await look(token)).status).toBe(200)
  await harness.publish(userDeleted, {
    user_id: owner,
    deletion_id: crypto.randomUUID(),
    message_policy: 'keep',
  })
  await waitFor(async () => (await look(token)).status === 404)
  await note(token)
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(answers[0]).toEqual([404, 'INVITE_INVALID', 'This invite link is not valid.'])
  await waitFor(
    async () =>
      (await harness.mysql.query('SELECT 1 FROM friend_invites WHERE owner_id = ?', [owner])).length === 0,
  )
})

it('the 21st link of an owner revokes the oldest', async () => {
  const tokens: string[] = []
  for (let count = 0; count < 21; count++) {
    harness.clock += 1
    tokens.push(await create())
  }
  expect((await look(tokens[0]!)).status).toBe(404)
  expect((await look(tokens[1]!)).status).toBe(200)
})
