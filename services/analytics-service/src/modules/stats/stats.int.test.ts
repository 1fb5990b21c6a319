import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import {
  analyticsDataErased,
  friendRequestAccepted,
  friendRequestSent,
  messageSent,
  onlineStatusChanged,
  userDeleted,
  userLoggedIn,
  userRegistered,
  uuidv7,
} from '@bigtech/contracts'
import { collectEvents, describeConformance, describeMigrations, waitFor } from '@bigtech/testkit'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Harness, migrationsDir, startHarness } from '../../../testing/harness.ts'
import { createMysql } from '../../infrastructure/mysql.ts'
import { StatsRepository } from './stats.repository.ts'

const run = promisify(execFile)
const rebuildScript = fileURLToPath(new URL('../../rebuild.ts', import.meta.url))
const day = '2026-03-01'
/** A day with online users and no other events. */
const readers = '2026-03-15'
const at = (time: string) => new Date(`${day}T${time}.000Z`)

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
})
afterAll(() => harness.stop())

const rebuild = (...args: string[]) =>
  run(process.execPath, [rebuildScript, ...args], { env: { ...process.env, ...harness.env } })

/** Removes the messages that one test writes during a rebuild, which every later rebuild would count. */
async function forgetRoom99(): Promise<void> {
  await harness.mysql.query('DELETE FROM room_hours WHERE room_id = 99')
  await harness.mysql.query('DELETE FROM daily_active WHERE user_id = 42')
  await harness.mysql.query(
    "UPDATE daily_totals SET total = total - 200 WHERE metric = 'messages' AND day = ?",
    [day],
  )
}

const events: (() => Promise<void>)[] = []
/** Publishes an event; with `replay`, repeats the same event. */
async function publish(...args: Parameters<Harness['publish']>): Promise<void> {
  const [definition, payload, meta] = args
  const same = { ...meta, eventId: uuidv7() }
  events.push(() => harness.publish(definition, payload, same))
  await harness.publish(definition, payload, same)
}
const replay = async () => {
  for (const again of events) await again()
}
const message = (roomId: number, seq: number, userId: number, type: 'text' | 'system' = 'text') => ({
  message_id: `${roomId}:${seq}`,
  room_id: roomId,
  seq,
  user_id: userId,
  username: 'somebody',
  content: 'hello',
  message_type: type,
  created_at: at('10:00:00').toISOString(),
  reply_to: null,
})
const daily = async () => {
  const { body } = await harness.get(`/stats/daily?from=${day}&to=${day}`)
  return (body.items as Record<string, unknown>[])[0]!
}
const wait = (figure: string, value: number) =>
  waitFor(async () => (await daily())[figure] === value, { what: `${figure} = ${value}` })

async function publishDay(): Promise<void> {
  for (const user of [1, 2, 3]) {
    await publish(
      userRegistered,
      { user_id: user, email: `u${user}@example.com`, username: `u${user}`, display_name: `U ${user}` },
      { timestamp: at('09:00:00') },
    )
  }
  const login = { user_id: 1, session_id: crypto.randomUUID() }
  await publish(userLoggedIn, login, { timestamp: at('09:10:00') })
  await publish(userLoggedIn, login, { timestamp: at('09:20:00') })
  const pair = { request_id: 1, from_user_id: 1, to_user_id: 2 }
  await publish(friendRequestSent, pair, { timestamp: at('09:30:00') })
  await publish(friendRequestSent, { ...pair, request_id: 2, to_user_id: 3 }, { timestamp: at('09:31:00') })
  await publish(friendRequestAccepted, pair, { timestamp: at('09:32:00') })
  await publish(messageSent, message(7, 1, 2, 'system'), { timestamp: at('09:59:58') })
  await publish(messageSent, message(7, 2, 2), { timestamp: at('09:59:59') })
  await publish(messageSent, message(7, 3, 2), { timestamp: at('10:00:00') })
  await publish(messageSent, message(7, 4, 3), { timestamp: at('10:30:00') })
}

describe('figures', () => {
  it('figures count sign-ups, logins, active users, messages by room and hour, and the acceptance of requests', async () => {
    await publishDay()
    await wait('messages', 3)
    await wait('logins', 2)
    await wait('friend_requests_accepted', 1)
    expect(await daily()).toMatchObject({
      day,
      sign_ups: 3,
      logins: 2,
      active_users: 3,
      messages: 3,
      friend_requests: 2,
      friend_acceptance_rate: 0.5,
    })
    const hours = await harness.get(`/stats/rooms/7/hourly?from=${day}&to=${day}`)
    expect(hours.body.items).toEqual([
      { hour: `${day}T09:00:00.000Z`, messages: 1 },
      { hour: `${day}T10:00:00.000Z`, messages: 2 },
    ])
  })

  it('figures are unchanged by duplicate events', async () => {
    const before = await harness.figures()
    await replay()
    await publish(
      userLoggedIn,
      { user_id: 9, session_id: crypto.randomUUID() },
      { timestamp: at('23:00:00') },
    )
    await publish(messageSent, message(8, 1, 9), { timestamp: at('23:00:00') })
    await publish(
      friendRequestSent,
      { request_id: 3, from_user_id: 9, to_user_id: 1 },
      { timestamp: at('23:00:00') },
    )
    // Each partition is ordered: when the newest events are counted, all duplicates before them have been
    // handled.
    await waitFor(async () => {
      const rows = await harness.mysql.query('SELECT 1 FROM inbox')
      return rows.length === events.length - 1
    })
    const after = (await harness.figures()) as { totals: unknown[] }
    expect(after).not.toEqual(before)
    expect(await daily()).toMatchObject({ sign_ups: 3, logins: 3, messages: 4, friend_requests: 3 })
  })

  it('figures are identical after a rebuild from the topics while the service keeps counting', async () => {
    const before = await harness.figures()
    await harness.mysql.query('UPDATE daily_totals SET total = total + 1000')
    await harness.mysql.query('DELETE FROM daily_active')
    expect(await harness.figures()).not.toEqual(before)
    // Users keep writing during the rebuild.
    let written = 0
    const writing = (async () => {
      while (written >= 0 && written < 200) {
        await harness.publish(messageSent, message(99, ++written, 42), { timestamp: at('12:00:00') })
      }
    })()
    const { stdout } = await rebuild('--yes')
    expect(stdout).toContain('Rebuilt every day')
    await writing
    const live = await waitFor(async () => {
      const { body } = await harness.get(`/stats/rooms/99/hourly?from=${day}&to=${day}`)
      const [hour] = body.items as { messages: number }[]
      if (hour?.messages !== written) throw new Error(`${hour?.messages} of ${written}`)
      return hour
    })
    expect(live.messages).toBe(200)
    await forgetRoom99()
    expect(await harness.figures()).toEqual(before)
  })

  it.each([[], ['--help'], ['--from', '2026-03-02']])(
    'figures are unchanged by a rebuild without --yes: %s',
    async (...args) => {
      const before = await harness.figures()
      const { stdout } = await rebuild(...args)
      expect(stdout).toMatch(/Nothing was changed|Usage/)
      expect(await harness.figures()).toEqual(before)
    },
  )

  it('figures are not lost by a rebuild when the topics start later, for instance in a recreated Kafka', async () => {
    await harness.mysql.query(
      "INSERT INTO daily_totals (day, metric, total) VALUES ('2026-02-20', 'messages', 5)",
    )
    try {
      const before = await harness.figures()
      const refused = (await rebuild('--yes').catch((error: unknown) => error)) as {
        code: number
        stderr: string
      }
      expect(refused.code).toBe(1)
      expect(refused.stderr).toContain(
        'figures go back to 2026-02-20, and message.events begins with 2026-03-01',
      )
      expect(refused.stderr).toContain('--from 2026-03-01')
      expect(await harness.figures()).toEqual(before)
      expect((await rebuild('--yes', '--from', '2026-03-01')).stdout).toContain(
        'Rebuilt 2026-03-01 and later',
      )
      expect(
        await harness.mysql.query("SELECT total FROM daily_totals WHERE day = '2026-02-20'"),
      ).toHaveLength(1)
    } finally {
      await forgetRoom99()
      await harness.mysql.query("DELETE FROM daily_totals WHERE day = '2026-02-20'")
    }
  })

  it('events wait while a rebuild empties the tables, so that inbox and effect stay consistent', async () => {
    const mysql = createMysql(harness.env.DATABASE_URL!, new Registry())
    try {
      await harness.mysql.query('START TRANSACTION')
      await harness.mysql.query('UPDATE rebuilds SET generation = generation + 1')
      const applying = new StatsRepository(mysql).apply([
        { eventId: uuidv7(), at: at('13:00:00'), effect: { roomId: 55 } },
      ])
      const early = await Promise.race([
        applying,
        // Long enough for an event that does not wait.
        new Promise((resolve) => setTimeout(resolve, 500, 'waits')),
      ])
      expect(early).toBe('waits')
      await harness.mysql.query('ROLLBACK')
      expect(await applying).toBe('applied')
    } finally {
      await harness.mysql.query('ROLLBACK')
      await mysql.close()
    }
  })

  it('an acceptance counts for the day of its request, so that the rate never exceeds 1', async () => {
    const [sentDay, acceptedDay] = ['2026-03-10', '2026-03-20']
    const pair = { request_id: 500, from_user_id: 1, to_user_id: 2 }
    const moment = (of: string) => ({ timestamp: new Date(`${of}T12:00:00.000Z`) })
    await publish(friendRequestSent, pair, moment(sentDay))
    await publish(friendRequestSent, { ...pair, request_id: 501, to_user_id: 3 }, moment(acceptedDay))
    await publish(friendRequestAccepted, pair, moment(acceptedDay))
    await publish(friendRequestAccepted, { ...pair, request_id: 501, to_user_id: 3 }, moment(acceptedDay))
    // Accepted without having been sent, because it was withheld from its receiver.
    await publish(friendRequestAccepted, { ...pair, request_id: 502, to_user_id: 4 }, moment(acceptedDay))
    const of = async (one: string) => {
      const { body } = await harness.get(`/stats/daily?from=${one}&to=${one}`)
      return (body.items as Record<string, unknown>[])[0]!
    }
    await waitFor(async () => (await of(acceptedDay)).friend_requests_accepted === 3)
    expect(await of(acceptedDay)).toMatchObject({ friend_requests: 1, friend_acceptance_rate: 1 })
    expect(await of(sentDay)).toMatchObject({
      friend_requests: 1,
      friend_requests_accepted: 0,
      friend_acceptance_rate: 1,
    })
  })

  it('users who only read count as active', async () => {
    const seen = (user_id: number, online: boolean, published: string, last_seen_at: string) =>
      publish(
        onlineStatusChanged,
        { user_id, online, last_seen_at, visibility: 'nobody' },
        { timestamp: new Date(published) },
      )
    const active = async () => {
      const { body } = await harness.get(`/stats/daily?from=${readers}&to=${readers}`)
      return (body.items as { active_users: number }[])[0]!.active_users
    }
    await seen(70, true, `${readers}T09:00:00.000Z`, `${readers}T09:00:00.000Z`)
    await seen(70, false, `${readers}T09:30:00.000Z`, `${readers}T09:30:00.000Z`)
    await seen(71, false, '2026-03-16T00:00:40.000Z', `${readers}T23:59:50.000Z`)
    await waitFor(async () => (await active()) === 2)
  })

  it('figures keep the number of active users but not their identity when an account is deleted', async () => {
    const before = await daily()
    const { brokers, topicPrefix } = harness
    const confirmations = await collectEvents({ brokers, topicPrefix, topics: ['analytics.events'] })
    const deletion_id = crypto.randomUUID()
    await publish(userDeleted, { user_id: 2, deletion_id, message_policy: 'keep' })
    await waitFor(async () => {
      const rows = await harness.mysql.query('SELECT 1 FROM erased_users WHERE user_id = 2')
      return rows.length === 1
    })
    await confirmations.waitFor(analyticsDataErased, (event) => event.deletion_id === deletion_id)
    await confirmations.stop()
    expect((await daily()).active_users).toBe(before.active_users)
    expect(await harness.mysql.query('SELECT 1 FROM daily_active WHERE user_id = 2')).toEqual([])
  })

  it('a rebuild after a deletion keeps the number of active users', async () => {
    const before = await harness.get(`/stats/daily?from=${day}&to=${day}`)
    await rebuild('--yes')
    // A user whose messages were removed from the figures but are still on the topic.
    await harness.mysql.query('DELETE FROM daily_active WHERE user_id = 42')
    const after = await harness.get(`/stats/daily?from=${day}&to=${day}`)
    const { active_users } = (before.body.items as { active_users: number }[])[0]!
    expect((after.body.items as { active_users: number }[])[0]?.active_users).toBe(active_users)
    const online = await harness.mysql.query('SELECT 1 FROM daily_active WHERE day = ?', [readers])
    expect(online).toHaveLength(2)
    expect(await harness.mysql.query('SELECT 1 FROM daily_active WHERE user_id = 2')).toEqual([])
  })
})

describe('read API', () => {
  it.each(['/stats/summary', '/stats/daily', '/stats/rooms/7/hourly'])(
    'the read API returns %s to operators, and 401 to everyone else',
    async (url) => {
      expect((await harness.get(url)).status).toBe(200)
      expect((await harness.get(url, 'another-token-of-enough-length')).status).toBe(401)
      expect((await harness.service.app.inject(url)).statusCode).toBe(401)
    },
  )

  it.each([
    ['an unknown day', '/stats/daily?from=2026-02-30'],
    ['a range that ends before it begins', '/stats/daily?from=2026-03-02&to=2026-03-01'],
    ['a range of more than 366 days', '/stats/daily?from=2025-01-01&to=2026-01-02'],
    ['an hourly range of more than 31 days', '/stats/rooms/7/hourly?from=2026-01-01&to=2026-03-01'],
    ['an invalid room id', '/stats/rooms/x/hourly'],
  ])('the read API rejects %s', async (_case, url) => {
    expect((await harness.get(url)).status).toBe(422)
  })

  it('the read API accepts 366 days, and returns the last 30 by default', async () => {
    const items = async (url: string) => (await harness.get(url)).body.items as unknown[]
    expect(await items('/stats/daily?from=2025-01-01&to=2026-01-01')).toHaveLength(366)
    expect(await items('/stats/daily')).toHaveLength(30)
  })

  it('figures are also exposed as metrics', async () => {
    const { body } = await harness.service.app.inject('/metrics')
    expect(body).toContain('analytics_events_count{figure="sign_ups",window="1d"')
  })
})

describeConformance({ title: 'Analytics Service', service: () => harness.service })
describeMigrations({
  migrationsDir,
  schemaPath: fileURLToPath(new URL('../../../prisma/schema.prisma', import.meta.url)),
})
