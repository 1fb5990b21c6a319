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

/** A network nobody has used before. */
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
  it('costs nothing for a few typing errors, then waits, longer each time, and says how long', async () => {
    const { email } = await users.person()
    const here = network()
    expect(codes(await fail(email, 6, () => here(1)))).toEqual(Array(6).fill('CREDENTIALS_INVALID'))
    const [limited] = await fail(email, 1, () => here(1))
    expect(limited!.status).toBe(429)
    expect(limited!.body.code).toBe('LOGIN_LIMITED')
    expect(Number(limited!.headers['retry-after'])).toBeGreaterThan(20)
  })

  it('refuses even the right password while it waits: the answer must tell nothing', async () => {
    const { email } = await users.person()
    const here = network()
    await fail(email, 6, () => here(1))
    expect((await users.login(email, PASSWORD, { ip: here(1) })).body.code).toBe('LOGIN_LIMITED')
  })

  it('is the same for an account that does not exist', async () => {
    const here = network()
    const answers = await fail('nobody@example.com', 7, () => here(1))
    expect(codes(answers)).toEqual([...Array(6).fill('CREDENTIALS_INVALID'), 'LOGIN_LIMITED'])
  })

  it('does not tell which address belongs to a username: each has counters of its own', async () => {
    const { email, username } = await users.person()
    const here = network()
    const byUsername = await fail(username, 7, () => here(1))
    expect(byUsername.at(-1)!.status).toBe(429)
    expect((await fail(email, 1, () => here(1)))[0]!.status).toBe(401)
    expect((await fail('nobody-at-all@example.com', 1, () => here(1)))[0]!.status).toBe(401)
    expect((await fail(username.toUpperCase(), 1, () => here(1)))[0]!.status).toBe(429)
  })

  it('counts attempts that run at the same time', async () => {
    const { email } = await users.person()
    const here = network()
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => users.login(email, 'Wrong1234!', { ip: here(1) })),
    )
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(6)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(24)
  })

  it('from very many networks is slowed down as well', async () => {
    const { email } = await users.person()
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => users.login(email, 'Wrong1234!', { ip: network()(1) })),
    )
    expect(answers.filter(({ status }) => status === 429).length).toBe(9)
  })

  it('doubles the wait with each further failure', async () => {
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

describe('an attacker cannot lock anybody out', () => {
  it('of a device that has signed in before', async () => {
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

  it('of a network that the account was used from before, by attacks from elsewhere', async () => {
    const { email } = await users.person()
    const home = network()
    expect((await users.login(email, PASSWORD, { ip: home(1) })).status).toBe(200)
    await Promise.all(
      Array.from({ length: 60 }, () => users.login(email, 'Wrong1234!', { ip: network()(1) })),
    )
    expect((await users.login(email, PASSWORD, { ip: network()(1) })).status).toBe(429)
    expect((await users.login(email, PASSWORD, { ip: home(2) })).status).toBe(200)
  })

  it('of their own address, by the attempts of neighbours in the same network', async () => {
    const { email } = await users.person()
    const home = network()
    expect((await users.login(email, PASSWORD, { ip: home(1) })).status).toBe(200)
    await Promise.all(
      Array.from({ length: 80 }, (_, n) => users.login(email, 'Wrong1234!', { ip: home(2 + n) })),
    )
    expect((await users.login(email, PASSWORD, { ip: home(200) })).status).toBe(429)
    expect((await users.login(email, PASSWORD, { ip: home(1) })).status).toBe(200)
  })

  it('and a device token of one account is of no use for another', async () => {
    const [victim, attacker] = [await users.person(), await users.person()]
    const here = network()
    await fail(victim.email, 6, () => here(1))
    const answer = await users.login(victim.email, 'Wrong1234!', {
      ip: here(1),
      deviceToken: attacker.tokens.device_token!,
    })
    expect(answer.body.code).toBe('LOGIN_LIMITED')
  })

  it('but a known device may not guess without bound either', async () => {
    const { email, tokens } = await users.person()
    const deviceToken = tokens.device_token!
    const answers = []
    for (let n = 0; n < 12; n++) answers.push(await users.login(email, 'Wrong1234!', { deviceToken }))
    expect(answers.at(-1)?.body.code).toBe('LOGIN_LIMITED')
  })
})

describe('one address that tries many accounts', () => {
  it('is slowed down, while successful sign-ins do not count', async () => {
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

describe('the work of a comparison', () => {
  it('is done once for an unknown account as for a known one', async () => {
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

  it('is bounded: beyond the queue the answer is 503 OVERLOADED, and is not held against anybody', async () => {
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

  it('does not hold up anything else', async () => {
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
