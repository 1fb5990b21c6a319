import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PASSWORD, type TestService, type TestWorld, testWorld } from '../../../testing/harness.ts'

let world: TestWorld
let users: TestService
let lastNetwork = 0

beforeAll(async () => {
  world = await testWorld()
  users = await world.build({ LOGIN_FREE_ATTEMPTS_PER_IP: '20' }, { loginBaseWaitMs: 30_000 })
})
afterAll(() => world.close())

/** Returns an unused network. */
const network = () => {
  const id = ++lastNetwork
  return (host: number) => `10.${id >> 8}.${id & 255}.${host}`
}

async function fail(email: string, times: number, ip: (n: number) => string) {
  const answers = []
  for (let n = 0; n < times; n++) answers.push(await users.login(email, 'Wrong1234!', { ip: ip(n) }))
  return answers
}

const codes = (answers: { body: { code?: string } }[]) => answers.map(({ body }) => body.code)

describe('guessing the password of one account', () => {
  it('the login guard allows a few typing errors, then enforces increasing waits and returns them', async () => {
    const { email } = await users.person()
    const here = network()
    expect(codes(await fail(email, 6, () => here(1)))).toEqual(Array(6).fill('CREDENTIALS_INVALID'))
    const [limited] = await fail(email, 1, () => here(1))
    expect(limited!.status).toBe(429)
    expect(limited!.body.code).toBe('LOGIN_LIMITED')
    expect(Number(limited!.headers['retry-after'])).toBeGreaterThan(20)
  })

  it('the login guard rejects even the right password during the wait, so that the response reveals nothing', async () => {
    const { email } = await users.person()
    const here = network()
    await fail(email, 6, () => here(1))
    expect((await users.login(email, PASSWORD, { ip: here(1) })).body.code).toBe('LOGIN_LIMITED')
  })

  it('the login guard behaves the same for an unknown account', async () => {
    const here = network()
    const answers = await fail('nobody@example.com', 7, () => here(1))
    expect(codes(answers)).toEqual([...Array(6).fill('CREDENTIALS_INVALID'), 'LOGIN_LIMITED'])
  })

  it('the login guard counts address and username separately, so that their connection is not revealed', async () => {
    const { email, username } = await users.person()
    const here = network()
    const byUsername = await fail(username, 7, () => here(1))
    expect(byUsername.at(-1)!.status).toBe(429)
    expect((await fail(email, 1, () => here(1)))[0]!.status).toBe(401)
    expect((await fail('nobody-at-all@example.com', 1, () => here(1)))[0]!.status).toBe(401)
    expect((await fail(username.toUpperCase(), 1, () => here(1)))[0]!.status).toBe(429)
  })

  it('the login guard counts concurrent attempts', async () => {
    const { email } = await users.person()
    const here = network()
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => users.login(email, 'Wrong1234!', { ip: here(1) })),
    )
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(6)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(24)
  })

  it('the login guard throttles guesses at one account from very many networks', async () => {
    const { email } = await users.person()
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => users.login(email, 'Wrong1234!', { ip: network()(1) })),
    )
    expect(answers.filter(({ status }) => status === 429).length).toBe(9)
  })

  it('the login guard doubles the wait with each failure', async () => {
    const { email } = await users.person()
    const here = network()
    await fail(email, 6, () => here(1))
    const { Redis } = await import('ioredis')
    const redis = new Redis(world.redis.url)
    const waits = []
    for (let n = 0; n < 4; n++) {
      const [key] = await redis.keys(`rate_limit:login:account:*:${here(1)}`)
      await redis.hset(key!, 'till', '0')
      await fail(email, 1, () => here(1))
      waits.push(Number((await users.login(email, 'x', { ip: here(1) })).headers['retry-after']))
    }
    redis.disconnect()
    for (const [n, seconds] of waits.entries()) {
      expect(seconds).toBeGreaterThan(30 * 2 ** n)
      expect(seconds).toBeLessThanOrEqual(60 * 2 ** n)
    }
  })
})

describe('an attacker cannot lock out', () => {
  it('an attacker cannot lock out a device that has signed in before', async () => {
    const { email, tokens } = await users.person()
    const here = network()
    await Promise.all(
      Array.from({ length: 80 }, (_, n) =>
        users.login(email, 'Wrong1234!', { ip: n < 40 ? here(1) : network()(1) }),
      ),
    )
    expect((await users.login(email, PASSWORD, { ip: here(1) })).status).toBe(429)
    const known = await users.login(email, PASSWORD, { ip: here(1), deviceToken: tokens.device_token! })
    expect(known.status).toBe(200)
  })

  it('an attacker cannot lock out a network from which the account was used before', async () => {
    const { email } = await users.person()
    const home = network()
    expect((await users.login(email, PASSWORD, { ip: home(1) })).status).toBe(200)
    await Promise.all(
      Array.from({ length: 60 }, () => users.login(email, 'Wrong1234!', { ip: network()(1) })),
    )
    expect((await users.login(email, PASSWORD, { ip: network()(1) })).status).toBe(429)
    expect((await users.login(email, PASSWORD, { ip: home(2) })).status).toBe(200)
  })

  it("an attacker on the same network cannot lock out the owner's IP address", async () => {
    const { email } = await users.person()
    const home = network()
    expect((await users.login(email, PASSWORD, { ip: home(1) })).status).toBe(200)
    await Promise.all(
      Array.from({ length: 80 }, (_, n) => users.login(email, 'Wrong1234!', { ip: home(2 + n) })),
    )
    expect((await users.login(email, PASSWORD, { ip: home(200) })).status).toBe(429)
    expect((await users.login(email, PASSWORD, { ip: home(1) })).status).toBe(200)
  })

  it('a device token of another account does not exempt an attacker from the limits', async () => {
    const [victim, attacker] = [await users.person(), await users.person()]
    const here = network()
    await fail(victim.email, 6, () => here(1))
    const answer = await users.login(victim.email, 'Wrong1234!', {
      ip: here(1),
      deviceToken: attacker.tokens.device_token!,
    })
    expect(answer.body.code).toBe('LOGIN_LIMITED')
  })

  it('guesses from a known device are also limited', async () => {
    const { email, tokens } = await users.person()
    const deviceToken = tokens.device_token!
    const answers = []
    for (let n = 0; n < 12; n++) answers.push(await users.login(email, 'Wrong1234!', { deviceToken }))
    expect(answers.at(-1)?.body.code).toBe('LOGIN_LIMITED')
  })
})

describe('one IP address that tries many accounts', () => {
  it('an IP address that tries many accounts is throttled, while successful sign-ins are not counted', async () => {
    const here = network()
    const people = await Promise.all(Array.from({ length: 5 }, () => users.person()))
    for (let round = 0; round < 5; round++) {
      for (const { email } of people) {
        expect((await users.login(email, PASSWORD, { ip: here(1) })).status).toBe(200)
      }
    }
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        users.login(`nobody${n}@example.com`, 'Wrong1234!', { ip: here(1) }),
      ),
    )
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(21)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(9)
    expect((await users.login(people[0]!.email, 'Wrong1234!', { ip: here(2) })).status).toBe(401)
  })
})

describe('password comparison', () => {
  it('the password comparison runs once for unknown and known accounts alike', async () => {
    const { email } = await users.person()
    const dummy = () => users.metric(/^password_comparisons_total\{.*against="dummy"/)
    const account = () => users.metric(/^password_comparisons_total\{.*against="account"/)
    const [dummies, accounts] = [await dummy(), await account()]
    await users.login('unknown@example.com', 'Wrong1234!', { ip: network()(1) })
    expect([await dummy(), await account()]).toEqual([dummies + 1, accounts])
    await users.login(email, 'Wrong1234!', { ip: network()(1) })
    expect([await dummy(), await account()]).toEqual([dummies + 1, accounts + 1])
    await users.login(email, 'x'.repeat(73), { ip: network()(1) })
    expect([await dummy(), await account()]).toEqual([dummies + 2, accounts + 1])
  })

  it('requests beyond the queue of password comparisons get 503 OVERLOADED without counting as failures', async () => {
    const small = await world.build(
      { BCRYPT_COST: '8', BCRYPT_WORKERS: '1', BCRYPT_QUEUE: '3' },
      { started: false },
    )
    const { email } = await users.person()
    const here = network()
    await small.login(email, PASSWORD, { ip: here(1) })
    const register = () => small.register({}, { ip: network()(1) })
    const answers = await Promise.all(Array.from({ length: 12 }, register))
    const refused = answers.filter(({ status }) => status === 503)
    expect(refused.length).toBeGreaterThanOrEqual(8)
    for (const { body, headers } of refused) {
      expect(body.code).toBe('OVERLOADED')
      expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    }
    const busy = Array.from({ length: 6 }, register)
    const attempts = await Promise.all(
      Array.from({ length: 12 }, () => small.login(email, PASSWORD, { ip: here(1) })),
    )
    await Promise.all(busy)
    expect(attempts.some(({ body }) => body.code === 'OVERLOADED')).toBe(true)
    expect((await small.login(email, PASSWORD, { ip: here(1) })).status).toBe(200)
  })

  it('password comparisons do not delay other requests', async () => {
    const person = await users.person()
    const slow = await world.build(
      { BCRYPT_COST: '11', BCRYPT_WORKERS: '1', BCRYPT_QUEUE: '20' },
      { started: false },
    )
    const hashes = Array.from({ length: 4 }, () => slow.register({}, { ip: network()(1) }))
    let finished = false
    const all = Promise.all(hashes).then(() => {
      finished = true
    })
    for (let n = 0; n < 20; n++) {
      expect((await slow.call('GET', '/profile/me', { token: person.token })).status).toBe(200)
    }
    expect(finished).toBe(false)
    await all
  })
})
