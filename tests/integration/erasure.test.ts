import { testServers, uniqueName, waitFor } from '@bigtech/testkit'
import { Redis } from 'ioredis'
import { createConnection } from 'mariadb'
import mongoose from 'mongoose'
import { expect, it } from 'vitest'
import { befriend, expectStatus, http, newPerson, password, stack } from '../e2e/stack.ts'

/** Returns every row, document and key of every service as text, by location. */
async function everythingStored(): Promise<Map<string, string>> {
  const stored = new Map<string, string>()
  const { mysql, mongo, redis } = testServers()
  const sql = await createConnection({ ...mysql, allowPublicKeyRetrieval: true })
  const tables = await sql.query<{ db: string; name: string }[]>(
    "SELECT table_schema AS db, table_name AS name FROM information_schema.tables WHERE table_schema LIKE 'bigtech\\_%'",
  )
  for (const { db, name } of tables) {
    stored.set(`${db}.${name}`, textOf(await sql.query(`SELECT * FROM \`${db}\`.\`${name}\``)))
  }
  await sql.end()
  const client = await mongoose.createConnection(mongo.url).asPromise()
  const { databases } = await client.db!.admin().listDatabases()
  for (const { name } of databases.filter((each) => each.name.startsWith('bigtech_'))) {
    const db = client.useDb(name).db!
    for (const collection of await db.listCollections().toArray()) {
      stored.set(
        `${name}.${collection.name}`,
        textOf(await db.collection(collection.name).find({}).toArray()),
      )
    }
  }
  await client.close()
  for (const db of [0, 1]) {
    const store = new Redis({ ...redis, db })
    for (const key of await store.keys('*'))
      stored.set(`redis ${db} ${key}`, await readKey(store, String(key)))
    store.disconnect()
  }
  return stored
}

async function readKey(store: Redis, key: string): Promise<string> {
  switch (await store.type(key)) {
    case 'string':
      return `${await store.get(key)}`
    case 'hash':
      return JSON.stringify(await store.hgetall(key))
    case 'set':
      return JSON.stringify(await store.smembers(key))
    case 'zset':
      return JSON.stringify(await store.zrange(key, '0', '-1'))
    case 'list':
      return JSON.stringify(await store.lrange(key, 0, -1))
    case 'stream':
      return JSON.stringify(await store.xrange(key, '-', '+'))
    default:
      return ''
  }
}

function textOf(rows: unknown): string {
  return JSON.stringify(rows, (_name, value) => (typeof value === 'bigint' ? Number(value) : value))
}

it("deleteMyAccount: after its completion no store of any service contains the user's data", async () => {
  const mark = uniqueName('지워')
  const [gone, friend] = [await newPerson(`${mark}이름`), await newPerson()]
  const my = (method: string, url: string, json?: unknown) =>
    http(method, url, { token: gone.token, ...(json === undefined ? {} : { json }) })
  await expectStatus(200, my('PUT', `${stack.user}/profile/me`, { status_message: `${mark}상태` }))
  const direct = await befriend(gone, friend)
  const { body: room } = await expectStatus(
    201,
    http('POST', `${stack.chat}/rooms`, {
      token: friend.token,
      json: { name: '등산', member_ids: [gone.id] },
    }),
  )
  for (const id of [direct, room.room_id]) {
    await waitFor(
      async () =>
        (await my('POST', `${stack.chat}/messages/${id}`, { content: `${mark}메시지` })).status === 201,
    )
  }
  const words = [mark, gone.email, gone.username]
  const before = await everythingStored()
  expect(words.map((word) => [...before.values()].some((text) => text.includes(word)))).toEqual([
    true,
    true,
    true,
  ])

  const { body: deletion } = await expectStatus(
    202,
    my('DELETE', `${stack.user}/profile/me`, { password, message_policy: 'remove' }),
  )
  await waitFor(
    async () =>
      (await http('GET', `${stack.user}/auth/deletions/${deletion.deletion_id}`)).body.state === 'completed',
    { timeoutMs: 60_000, what: 'every service to have confirmed' },
  )
  const left = [...(await everythingStored())].flatMap(([where, text]) =>
    words.filter((word) => text.includes(word)).map((word) => `${where}: ${word}`),
  )
  expect(left).toEqual([])
})
