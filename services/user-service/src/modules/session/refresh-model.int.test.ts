import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestService, type TestWorld, testWorld } from '../../../testing/harness.ts'

const DAY = 86_400
let world: TestWorld
let users: TestService
let clockMs = Date.parse('2026-01-01T00:00:00Z')

beforeAll(async () => {
  world = await testWorld()
  users = await world.build({}, { now: () => new Date(clockMs) })
})
afterAll(() => world.close())

/** A model of a session according to the specification. */
class Model {
  readonly tokens: string[]
  readonly createdAt = clockMs
  usedAt = clockMs
  ended = false

  constructor(first: string) {
    this.tokens = [first]
  }

  get alive(): boolean {
    const idle = clockMs - this.usedAt < 30 * DAY * 1_000
    return !this.ended && idle && clockMs - this.createdAt < 180 * DAY * 1_000
  }

  /** Returns the expected response to a refresh with the token `back` places before the newest. */
  refresh(back: number): 'new' | 'same' | 'refused' {
    if (!this.alive) return 'refused'
    if (back === 0) {
      this.usedAt = clockMs
      return 'new'
    }
    // Its successor is the newest, unused token.
    if (back === 1) return 'same'
    this.ended = true
    return 'refused'
  }
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('refresh' as const),
        back: fc.integer({ min: 0, max: 3 }),
        tabs: fc.integer({ min: 1, max: 4 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('wait' as const),
        seconds: fc.constantFrom(1, 15, 29, 30, 31, 600, 5 * DAY, 29 * DAY, 31 * DAY),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('logout' as const) }) },
  ),
  { minLength: 3, maxLength: 14 },
)

it('refresh tokens follow the model in every history: rotate, repeat until the successor is used, end on reuse', async () => {
  const { email } = await users.person()
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const { body } = await users.login(email)
      const model = new Model(body.refresh_token)
      let accessToken: string = body.access_token
      for (const step of history) {
        if (step.kind === 'wait') {
          clockMs += step.seconds * 1_000
          continue
        }
        if (step.kind === 'logout') {
          // By the session itself: an access token outlives the model's time steps.
          await users.call('POST', '/auth/logout', { token: accessToken })
          model.ended = true
          continue
        }
        const back = Math.min(step.back, model.tokens.length - 1)
        const presented = model.tokens.at(-1 - back)!
        const answers = await Promise.all(Array.from({ length: step.tabs }, () => users.refresh(presented)))
        const expected = model.refresh(back)
        expect(answers.map(({ status }) => status)).toEqual(
          Array(step.tabs).fill(expected === 'refused' ? 401 : 200),
        )
        const given = new Set(answers.map(({ body }) => body.refresh_token))
        expect(given.size).toBe(1)
        const [token] = given
        if (expected === 'same') expect(token).toBe(model.tokens.at(-1))
        if (expected === 'new') {
          expect(model.tokens).not.toContain(token)
          model.tokens.push(token)
          accessToken = answers[0]!.body.access_token
        }
      }
    }),
    { numRuns: 80 },
  )
}, 60_000)
