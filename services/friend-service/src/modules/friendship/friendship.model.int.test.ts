import { type AuthenticatedContext, Problem } from '@bigtech/service-kit'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FriendModel, pairOf, type Reply, type Step } from '../../../testing/friend-model.ts'
import { type Harness, newUsers, startHarness } from '../../../testing/harness.ts'

/** Number of histories; by default as many as fit into 15 s. */
const HISTORIES = process.env.MODEL_HISTORIES ? Number(process.env.MODEL_HISTORIES) : undefined
/** Minimum regardless of time, so that a slow machine does not pass after one history. */
const LEAST_HISTORIES = 5
const TIME_LIMIT_MS = 8_000
const STEPS = 50

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
  // Only for this test, which reads a pair's events after every step.
  await harness.mysql.query('ALTER TABLE outbox ADD KEY outbox_msg_key (msg_key)')
})
afterAll(() => harness.stop())

/** A step before its users and requests are chosen. */
interface Plan {
  readonly verb: Step['type']
  readonly by: number
  readonly to: number
  /** Whether the step refers to an existing request. */
  readonly rightRequest: boolean
  /** Whether the step runs concurrently with the previous one. */
  readonly together: boolean
}
const plan: fc.Arbitrary<Plan> = fc
  .record({
    verb: fc.oneof(
      { weight: 8, arbitrary: fc.constant('send' as const) },
      { weight: 5, arbitrary: fc.constant('accept' as const) },
      { weight: 3, arbitrary: fc.constantFrom('reject' as const, 'cancel' as const) },
      { weight: 2, arbitrary: fc.constantFrom('remove' as const, 'block' as const) },
      { weight: 3, arbitrary: fc.constant('unblock' as const) },
      { weight: 1, arbitrary: fc.constantFrom('restrict' as const, 'unrestrict' as const) },
      { weight: 1, arbitrary: fc.constant('month' as const) },
    ),
    by: fc.nat(2),
    shift: fc.integer({ min: 1, max: 2 }),
    rightRequest: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.constant(false)),
    together: fc.boolean(),
  })
  .map(({ shift, ...rest }) => ({ ...rest, to: (rest.by + shift) % 3 }))

function contextOf(userId: number): AuthenticatedContext {
  return {
    requestId: `model-${userId}`,
    log: harness.service.log,
    bearer: 'none',
    actor: { userId, sessionId: crypto.randomUUID(), username: `user${userId}`, role: 'user', expiresAt: 0 },
  }
}

/** Executes a step on the real service. */
async function take(step: Step): Promise<Reply> {
  const { friendships } = harness.service
  if (step.type === 'month') {
    harness.clock += 30 * 24 * 3_600_000
    while ((await friendships.expireDue(harness.service.log)) > 0);
    return 'ok'
  }
  const ctx = contextOf(step.by)
  try {
    switch (step.type) {
      case 'send':
        return (await friendships.sendFriendRequest(ctx, step.to)).request_id
      case 'accept':
        return (await friendships.acceptFriendRequest(ctx, step.requestId)).request_id
      case 'reject':
        return (await friendships.rejectFriendRequest(ctx, step.requestId)).request_id
      case 'cancel':
        await friendships.cancelFriendRequest(ctx, step.requestId)
        return 'ok'
      case 'remove':
        await friendships.removeFriend(ctx, step.to)
        return 'ok'
      case 'block':
        await friendships.blockUser(ctx, step.to)
        return 'ok'
      case 'unblock':
        await friendships.unblockUser(ctx, step.to)
        return 'ok'
      case 'restrict':
        await friendships.restrictUser(ctx, step.to)
        return 'ok'
      case 'unrestrict':
        await friendships.unrestrictUser(ctx, step.to)
        return 'ok'
    }
  } catch (err) {
    if (err instanceof Problem && err.status < 500) return err.code
    throw err
  }
}

interface Row {
  readonly user_low: number
  readonly user_high: number
  readonly status: string
  readonly request_id: number
  readonly request_from: number
  readonly request_to: number
  readonly request_state: string
  readonly blocked_by_low_at: string | null
  readonly blocked_by_high_at: string | null
  readonly restricted_by_low_at: string | null
  readonly restricted_by_high_at: string | null
}

/** Reads the database into the model's form. */
async function stored(users: readonly number[]): Promise<{ view: object; events: Map<string, string[]> }> {
  const rows = await harness.mysql.query<Row>(
    'SELECT * FROM friendships WHERE user_low IN (?) AND user_high IN (?)',
    [users, users],
  )
  const flags = (flag: 'blocked' | 'restricted') =>
    rows
      .flatMap((row) => [
        ...(row[`${flag}_by_low_at`] ? [`${row.user_low}>${row.user_high}`] : []),
        ...(row[`${flag}_by_high_at`] ? [`${row.user_high}>${row.user_low}`] : []),
      ])
      .sort()
  const requests = (wanted: (row: Row) => boolean) =>
    rows
      .filter(wanted)
      .map((row) => `${row.request_from}>${row.request_to} ${row.request_id}`)
      .sort()
  const keys = [
    [users[0]!, users[1]!],
    [users[0]!, users[2]!],
    [users[1]!, users[2]!],
  ].map(([a, b]) => pairOf(a!, b!))
  const outbox = await harness.mysql.query<{ msg_key: string; payload: string }>(
    'SELECT msg_key, payload FROM outbox WHERE msg_key IN (?) ORDER BY id',
    [keys],
  )
  const events = new Map<string, string[]>()
  for (const { msg_key, payload } of outbox) {
    events.set(msg_key, [...(events.get(msg_key) ?? []), eventText(JSON.parse(payload))])
  }
  return {
    view: {
      friends: rows
        .filter(({ status }) => status === 'friends')
        .map((row) => pairOf(row.user_low, row.user_high))
        .sort(),
      outgoing: requests(({ status }) => status === 'pending'),
      incoming: requests(({ request_state }) => request_state === 'open'),
      blocks: flags('blocked'),
      restrictions: flags('restricted'),
    },
    events,
  }
}

function eventText(event: Record<string, string | number>): string {
  const who = event.from_user_id ?? event.user_id ?? event.blocker_id ?? event.restricter_id
  return [event.event_type, who, event.request_id, event.reason]
    .filter((part) => part !== undefined)
    .join(' ')
}

function* ordersOf<Item>(items: readonly Item[]): Generator<Item[]> {
  if (items.length <= 1) yield [...items]
  for (const [index, item] of items.entries()) {
    if (items.length <= 1) return
    for (const rest of ordersOf(items.toSpliced(index, 1))) yield [item, ...rest]
  }
}

/** Groups up to three concurrent steps; the passing of a month is a group of its own. */
function groupsOf(plans: readonly Plan[]): Plan[][] {
  const groups: Plan[][] = []
  for (const each of plans) {
    const last = groups.at(-1)
    const joins =
      last && each.together && last.length < 3 && each.verb !== 'month' && last[0]!.verb !== 'month'
    if (joins) last.push(each)
    else groups.push([each])
  }
  return groups
}

async function liveThrough(plans: readonly Plan[]): Promise<void> {
  const users = newUsers(3)
  await harness.mysql.query(
    'INSERT INTO people (user_id, username, display_name) VALUES ?'.replace(
      '?',
      users.map(() => '(?, ?, ?)').join(', '),
    ),
    users.flatMap((id) => [id, `u${id}`, `U ${id}`]),
  )
  let model = new FriendModel(harness.clock)
  for (const group of groupsOf(plans)) {
    const steps = group.map((each) => stepOf(each, users, model))
    const replies = await Promise.all(steps.map(take))
    const now = await stored(users)
    const taken = steps.map((step, index) => ({ step, reply: replies[index]! }))
    const fitting = [...ordersOf(taken)]
      .map((order) => {
        const candidate = model.copy()
        const agrees = order.every(({ step, reply }) => candidate.apply(step, reply) === reply)
        return agrees && matches(candidate, now) ? candidate : undefined
      })
      .find((candidate) => candidate !== undefined)
    if (!fitting) {
      const tried = model.copy()
      const expected = taken.map(({ step, reply }) => tried.apply(step, reply))
      expect({ taken, view: now.view, events: Object.fromEntries(now.events) }).toEqual({
        taken: taken.map(({ step }, index) => ({ step, reply: expected[index] })),
        view: tried.view(),
        events: Object.fromEntries(tried.events),
      })
    }
    model = fitting!
  }
  await sameOverHttp(users, model)
}

function stepOf(each: Plan, users: readonly number[], model: FriendModel): Step {
  const by = users[each.by]!
  const to = users[each.to]!
  if (each.verb === 'month') return { type: 'month' }
  if (each.verb === 'accept' || each.verb === 'reject' || each.verb === 'cancel') {
    const latest = model.latest.get(pairOf(by, to))?.id
    return { type: each.verb, by, to, requestId: (each.rightRequest ? latest : undefined) ?? 999_999_999 }
  }
  return { type: each.verb, by, to }
}

function matches(model: FriendModel, now: { view: object; events: Map<string, string[]> }): boolean {
  return (
    JSON.stringify(model.view()) === JSON.stringify(now.view) &&
    [...now.events].every(
      ([pair, events]) => JSON.stringify(events) === JSON.stringify(model.events.get(pair)),
    ) &&
    model.events.size === now.events.size
  )
}

/** Compares each user's view over HTTP with the model. */
async function sameOverHttp(users: readonly number[], model: FriendModel): Promise<void> {
  for (const me of users) {
    const ids = async (url: string, field: string) => {
      const { body } = await harness.call(me, 'GET', url)
      return body.items!.map((item) => item[field] as number).sort((a, b) => a - b)
    }
    const others = users.filter((user) => user !== me)
    const requestsOf = (map: Map<string, unknown>, key: (other: number) => string) =>
      others.filter((other) => map.has(key(other)))
    expect(await ids('/friends', 'user_id')).toEqual(
      others.filter((user) => model.friends.has(pairOf(me, user))),
    )
    expect(await ids('/friends/blocked', 'user_id')).toEqual(
      others.filter((user) => model.blocks.has(`${me}>${user}`) && !model.blocks.has(`${user}>${me}`)),
    )
    expect(await ids('/friends/requests?direction=incoming', 'from_user_id')).toEqual(
      requestsOf(model.incoming, (other) => `${other}>${me}`),
    )
    expect(await ids('/friends/requests?direction=outgoing', 'to_user_id')).toEqual(
      requestsOf(model.outgoing, (other) => `${me}>${other}`),
    )
  }
}

describe('random histories', () => {
  it(
    'random histories of 50 steps by three users, some concurrent, match the model and its events',
    async () => {
      let lived = 0
      const history = fc.asyncProperty(
        fc.array(plan, { minLength: STEPS, maxLength: STEPS }),
        async (plans) => {
          await liveThrough(plans)
          lived++
        },
      )
      await fc.assert(history, { numRuns: HISTORIES ?? LEAST_HISTORIES })
      // Runs more histories while time remains.
      if (!HISTORIES)
        await fc.assert(history, { interruptAfterTimeLimit: TIME_LIMIT_MS, markInterruptAsFailure: false })
      expect(lived).toBeGreaterThanOrEqual(HISTORIES ?? LEAST_HISTORIES)
      process.stdout.write(`histories lived: ${lived}\n`)
    },
    HISTORIES ? 3_600_000 : 60_000,
  )
})
