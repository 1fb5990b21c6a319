import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Harness, newUsers, type Statement, startHarness } from '../../../testing/harness.ts'

/** A network in which `me` has 300 friends and everyone else about 20. */
const CROWD = 2_000
const FIRST = 100_000
const me = FIRST
const MY_FRIENDS = 300

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
  await harness.service.app.ready()
  await makeCrowd()
}, 60_000)
afterAll(() => harness.stop())
beforeEach(() => {
  harness.statements.length = 0
  harness.userService.calls.length = 0
})

async function makeCrowd(): Promise<void> {
  const rows: unknown[][] = []
  const since = Date.parse('2026-01-01')
  for (let user = FIRST; user < FIRST + CROWD; user++) {
    const degree = user === me ? MY_FRIENDS : 10
    for (let step = 1; step <= degree; step++) {
      const other = user === me ? FIRST + step : FIRST + ((user - FIRST + step * 7) % CROWD)
      if (other === user || (user !== me && other === me)) continue
      const [low, high] = [Math.min(user, other), Math.max(user, other)]
      rows.push([low, high, 1, 'friends', new Date(since + Math.floor(rows.length / 3))])
    }
  }
  const others = Array.from({ length: CROWD + 60 }, (_, index) => [FIRST + index, `user${FIRST + index}`])
  await harness.mysql.query(
    `INSERT INTO people (user_id, username, display_name, version) VALUES ${others.map(() => '(?, ?, ?, 1)').join(', ')}`,
    others.flatMap(([id, name]) => [id, name, name]),
  )
  for (let from = 0; from < rows.length; from += 1_000) {
    const batch = rows.slice(from, from + 1_000)
    await harness.mysql.query(
      `INSERT IGNORE INTO friendships (user_low, user_high, version, status, friends_since) VALUES ${batch.map(() => '(?, ?, ?, ?, ?)').join(', ')}`,
      batch.flat(),
    )
  }
  const lonely = Array.from({ length: 60 }, (_, index) => FIRST + CROWD + index)
  for (const [index, other] of lonely.entries()) {
    const state = index < 20 ? 'open' : index < 40 ? 'rejected' : 'blocked'
    const from = index < 10 ? other : me
    await harness.mysql.query(
      state === 'blocked'
        ? 'INSERT INTO friendships (user_low, user_high, version, blocked_by_low_at) VALUES (?, ?, 1, NOW(3))'
        : `INSERT INTO friendships (user_low, user_high, version, status, request_id, request_from, request_to,
             request_state, request_sent_at, request_expires_at)
           VALUES (?, ?, 1, 'pending', ${1_000 + index}, ${from}, ${from === me ? other : me}, '${state}', NOW(3), NOW(3) + INTERVAL 30 DAY)`,
      [me, other],
    )
  }
  await harness.mysql.query('ANALYZE TABLE friendships')
}

const friendIds = async () => {
  const rows = await harness.mysql.query<{ id: number }>(
    `SELECT IF(user_low = ?, user_high, user_low) AS id FROM friendships
     WHERE (user_low = ? OR user_high = ?) AND status = 'friends'`,
    [me, me, me],
  )
  return rows.map(({ id }) => id).sort((a, b) => a - b)
}

async function allPages(url: string, between?: (page: number) => Promise<void>) {
  const items: Record<string, unknown>[] = []
  let cursor: unknown
  let pages = 0
  do {
    const query = cursor ? `&cursor=${cursor}` : ''
    const { body } = await harness.call(me, 'GET', `${url}limit=37${query}`)
    items.push(...body.items!)
    cursor = body.next_cursor
    await between?.(++pages)
  } while (cursor)
  return items
}

describe('lists', () => {
  it('lists return every friend once over all pages, newest first, while friendships are added', async () => {
    const before = await friendIds()
    const items = await allPages('/friends?', async (page) => {
      const [other] = newUsers(1) as [number]
      await harness.mysql.query(
        "INSERT INTO friendships (user_low, user_high, version, status, friends_since) VALUES (?, ?, 1, 'friends', ?)",
        [other, me, new Date(Date.parse('2026-06-01') + page)],
      )
      await harness.mysql.query(
        'INSERT INTO people (user_id, username, display_name, version) VALUES (?, ?, ?, 1)',
        [other, `user${other}`, `user${other}`],
      )
    })
    const listed = items.map((item) => item.user_id as number)
    expect([...listed].sort((a, b) => a - b)).toEqual(before)
    const times = items.map((item) => String(item.friends_since))
    expect(times).toEqual([...times].sort().reverse())
  })

  it.each([
    ['/friends?limit=100', 1],
    ['/friends?sort=name&limit=100', 1],
    ['/friends/requests?direction=incoming&limit=100', 2],
    ['/friends/requests?direction=outgoing&limit=100', 2],
    ['/friends/blocked?limit=100', 2],
    ['/friends/suggestions?limit=100', 3],
  ])(
    '%s takes %i statement(s) and at most one call to user-service for any number of rows',
    async (url, statements) => {
      const { status, body } = await harness.call(me, 'GET', url)
      expect(status).toBe(200)
      expect(body.items!.length).toBeGreaterThanOrEqual(10)
      expect(harness.statements.map(({ sql }) => sql)).toHaveLength(statements)
      const { calls } = harness.userService
      // Presence of friends is cached.
      if (url.startsWith('/friends?')) expect(calls.length).toBeLessThanOrEqual(1)
      else expect(calls).toEqual(url.includes('blocked') ? [] : ['/users/presence'])
    },
  )

  it('the list of friends takes one statement while user-service is down', async () => {
    harness.userService.down = true
    try {
      const { status, body } = await harness.call(me + 1, 'GET', '/friends?limit=100')
      expect(status).toBe(200)
      expect(body).toMatchObject({
        stale: true,
        items: expect.arrayContaining([expect.objectContaining({ display_name: `user${me}`, online: null })]),
      })
      expect(harness.statements).toHaveLength(1)
    } finally {
      harness.userService.down = false
    }
  })

  it('an empty list makes no call', async () => {
    const { body } = await harness.call(newUsers(1)[0]!, 'GET', '/friends')
    expect(body).toEqual({ items: [], next_cursor: null, stale: false })
    expect(harness.userService.calls).toEqual([])
  })

  it.each([
    ['/friends?limit=20', ['friendships_of_low', 'friendships_of_high']],
    ['/friends/requests?direction=incoming', ['friendships_incoming']],
    ['/friends/requests?direction=outgoing', ['friendships_outgoing']],
    ['/friends/blocked', ['friendships_blocked_by_low', 'friendships_blocked_by_high']],
    ['/friends/suggestions', ['friendships_of_low', 'friendships_of_high', 'PRIMARY']],
  ])('%s uses the indexes %j', async (url, keys) => {
    await harness.call(me, 'GET', url)
    for (const statement of harness.statements.filter(({ sql }) => sql.includes('friendships'))) {
      for (const step of await explain(statement)) {
        if (!/^(friendships|own|person)$/.test(String(step.table))) continue
        const plan = `${url}: ${JSON.stringify(step)}`
        expect(keys, plan).toContain(step.key)
        expect(['ref', 'range', 'eq_ref'], plan).toContain(step.type)
        expect(String(step.Extra), plan).not.toContain('filesort')
      }
    }
  })

  it.each([
    ['a time beyond all dates', 'friends', [Number.MAX_SAFE_INTEGER, 1]],
    ['a time before all dates', 'friends', [-Number.MAX_SAFE_INTEGER, 1]],
    ['a time beyond all dates', 'friends/blocked', [Number.MAX_SAFE_INTEGER, 1]],
    ['a negative request id', 'friends/requests', [-1]],
    ['zero mutual friends', 'friends/suggestions', [0, 1]],
  ])('lists reject a cursor with %s (%s)', async (_what, list, position) => {
    const cursor = Buffer.from(JSON.stringify(position)).toString('base64url')
    const direction = list === 'friends/requests' ? 'direction=incoming&' : ''
    const { status, body } = await harness.call(me, 'GET', `/${list}?${direction}cursor=${cursor}`)
    expect([status, body.code]).toEqual([422, 'CURSOR_INVALID'])
  })

  it("the export contains all of the caller's data and nothing hidden from them", async () => {
    const { status, body } = await harness.call(me, 'GET', '/friends/export')
    expect(status).toBe(200)
    expect(body.friends).toHaveLength((await friendIds()).length)
    expect(body.requests_received).toHaveLength(10)
    expect(body.requests_sent).toHaveLength(30)
    expect(body.blocked).toHaveLength(20)
    expect(JSON.stringify(body)).not.toContain('rejected')
  })
})

describe('suggestions', () => {
  it('suggestions are friends of friends ordered by mutual friends, without friends, requests, blocks and deleted accounts', async () => {
    const [mina, a, b, both, one, blocked, asked, gone] = newUsers(8) as number[]
    const befriend = (x: number, y: number) =>
      harness.mysql.query(
        "INSERT INTO friendships (user_low, user_high, version, status, friends_since) VALUES (?, ?, 1, 'friends', NOW(3))",
        [Math.min(x, y), Math.max(x, y)],
      )
    for (const friend of [a!, b!]) await befriend(mina!, friend)
    for (const other of [both!, one!, blocked!, asked!, gone!]) await befriend(a!, other)
    await befriend(b!, both!)
    await harness.call(blocked!, 'POST', `/friends/${mina}/block`)
    await harness.call(mina!, 'POST', '/friends/request', { target_user_id: asked })
    await harness.mysql.query(
      "INSERT INTO people (user_id, username, display_name, deleted_at) VALUES (?, '', '', NOW(3))",
      [gone],
    )
    const { body } = await harness.call(mina!, 'GET', '/friends/suggestions')
    expect(body.items!.map((item) => [item.user_id, item.mutual_friends])).toEqual([
      [both, 2],
      [one, 1],
    ])
    const first = await harness.call(mina!, 'GET', '/friends/suggestions?limit=1')
    const second = await harness.call(
      mina!,
      'GET',
      `/friends/suggestions?limit=1&cursor=${first.body.next_cursor}`,
    )
    expect([...first.body.items!, ...second.body.items!].map((item) => item.user_id)).toEqual([both, one])
    expect(second.body.next_cursor).toBeNull()
  })
})

describe('suggestions of the popular', () => {
  it('suggestions for users with many friends examine a bounded number of friendships', async () => {
    await harness.call(me, 'GET', '/friends/suggestions')
    const statement = harness.statements.find(({ sql }) => sql.includes('AS mutual'))!
    expect(statement.sql).toContain('LIMIT 10000')
    await harness.mysql.query('FLUSH STATUS')
    await harness.mysql.query(
      statement.sql.replaceAll('LIMIT 10000', 'LIMIT 100'),
      JSON.parse(statement.params) as unknown[],
    )
    const [read] = await harness.mysql.query<{ Value: string }>(
      "SHOW SESSION STATUS LIKE 'Handler_read_next'",
    )
    // 300 friends with 20 friends each: unbounded, it would read 4,000 of them.
    expect(Number(read?.Value)).toBeLessThanOrEqual(200)
  })
})

function explain({ sql, params }: Statement): Promise<Record<string, unknown>[]> {
  return harness.mysql.query(`EXPLAIN ${sql}`, JSON.parse(params) as unknown[])
}
