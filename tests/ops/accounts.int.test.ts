import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { testServers } from '@bigtech/testkit'
import { type Connection, createConnection } from 'mariadb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from './files.ts'

/** Prefix of all names, so that the server can also hold a running system. */
const mark = `t${randomBytes(3).toString('hex')}_`
const services = ['user', 'friend', 'chat', 'notification', 'analytics', 'media']

/** Returns the statements of accounts.sh with every name prefixed. */
function statements(): string[] {
  const passwords = services.flatMap((service) => [
    [`MYSQL_${service.toUpperCase()}_PASSWORD`, `app-${service}`],
    [`MYSQL_${service.toUpperCase()}_OWNER_PASSWORD`, `owner-${service}`],
  ])
  const env = {
    PATH: process.env.PATH,
    MYSQL_EXPORTER_PASSWORD: 'exporter',
    ...Object.fromEntries(passwords),
  }
  const script = join(root, 'infrastructure/docker/mysql/accounts.sh')
  const result = spawnSync('bash', [script, '--print'], { encoding: 'utf8', env })
  expect(result.status, result.stderr).toBe(0)
  return result.stdout
    .trim()
    .split('\n')
    .map((line) => line.replaceAll(/\bbigtech_/g, `${mark}bigtech_`).replaceAll(/'(\w+)'@/g, `'${mark}$1'@`))
}

let admin: Connection
const connect = (user: string, password: string, database?: string) =>
  createConnection({ ...testServers().mysql, user, password, ...(database ? { database } : {}) })

beforeAll(async () => {
  const { user, password } = testServers().mysql
  admin = await connect(user, password)
})

afterAll(async () => {
  for (const service of services) {
    await admin.query(`DROP DATABASE IF EXISTS ${mark}bigtech_${service}`)
    for (const role of ['', '_owner'])
      await admin.query(`DROP USER IF EXISTS '${mark}${service}_service${role}'@'%'`)
  }
  await admin.query(`DROP USER IF EXISTS '${mark}exporter'@'%'`)
  await admin.end()
})

describe('the accounts that accounts.sh makes', () => {
  it('accounts.sh can create the accounts repeatedly', async () => {
    for (let round = 0; round < 2; round++) for (const statement of statements()) await admin.query(statement)
  })

  it('an account allows a service to read and write its own rows only', async () => {
    const owner = await connect(`${mark}chat_service_owner`, 'owner-chat', `${mark}bigtech_chat`)
    await owner.query('CREATE TABLE rooms (id INT PRIMARY KEY)')
    await owner.end()

    const service = await connect(`${mark}chat_service`, 'app-chat', `${mark}bigtech_chat`)
    await service.query('INSERT INTO rooms VALUES (1)')
    expect(await service.query('SELECT id FROM rooms')).toMatchObject([{ id: 1 }])
    await expect(service.query('CREATE TABLE more (id INT)')).rejects.toThrow(/denied/)
    await expect(service.query('DROP TABLE rooms')).rejects.toThrow(/denied/)
    await expect(service.query(`USE ${mark}bigtech_user`)).rejects.toThrow(/denied/)
    await expect(service.query('SELECT user FROM mysql.user')).rejects.toThrow(/denied/)
    // The outbox relay needs its lock.
    const [lock] = (await service.query(`SELECT GET_LOCK('${mark}', 0) AS held`)) as Array<{ held: unknown }>
    expect(Number(lock?.held)).toBe(1)
    await service.end()
  })

  it('an account allows the owner of one database no change in another', async () => {
    const owner = await connect(`${mark}user_service_owner`, 'owner-user')
    await expect(owner.query(`DROP TABLE ${mark}bigtech_chat.rooms`)).rejects.toThrow(/denied/)
    await owner.end()
  })

  it("the exporter's account can read counters but no rows", async () => {
    const exporter = await connect(`${mark}exporter`, 'exporter')
    expect(await exporter.query('SHOW GLOBAL STATUS')).not.toHaveLength(0)
    await expect(exporter.query(`SELECT * FROM ${mark}bigtech_chat.rooms`)).rejects.toThrow(/denied/)
    await exporter.end()
  })
})
