import { join } from 'node:path'
import { cacheRoot, ensureArtefact, unpackDebian } from '@bigtech/devstack'
import { testServers } from '@bigtech/testkit'
import mariadb from 'mariadb'
import { healed, type ProcessName } from '../e2e/control.ts'
import { befriend, http, newPerson, stack } from './people.ts'
import {
  bigtech,
  caughtUp,
  expect,
  expectVerified,
  groupRoom,
  inCheckout,
  run,
  send,
  start,
  stop,
} from './steps.ts'

const services: readonly ProcessName[] = [
  'user-service',
  'friend-service',
  'chat-service',
  'notification-service',
  'analytics-service',
  'media-service',
  'media-worker',
]

/** Returns the directory of Debian's client programs, which mysql.sh calls. */
async function clientPrograms(): Promise<string> {
  const packages = ['mariadb-client', 'mariadb-client-core']
  const target = await ensureArtefact(cacheRoot(), {
    name: `ops-${packages.join('-')}-${process.arch}`,
    title: 'Fetching mysqldump',
    fill: (part, say) =>
      unpackDebian(
        part,
        { packages, isWanted: (name) => packages.includes(name), otherwise: 'install mariadb-client' },
        say,
      ),
  })
  return join(target, 'usr/bin')
}

async function backup(command: 'backup' | 'restore', file: string): Promise<void> {
  const { host, port, password } = testServers().mysql
  await run(inCheckout('infrastructure/docker/backup/mysql.sh'), [command, file], {
    PATH: `${await clientPrograms()}:${process.env.PATH}`,
    MYSQL_HOST: host,
    MYSQL_PORT: String(port),
    MYSQL_ROOT_PASSWORD: password,
  })
}

async function query<Row>(sql: string): Promise<Row[]> {
  const { host, port, user, password } = testServers().mysql
  const connection = await mariadb.createConnection({ host, port, user, password, bigIntAsNumber: true })
  try {
    return await connection.query<Row[]>(sql)
  } finally {
    await connection.end()
  }
}

/** Loses every MySQL database while MongoDB, Kafka and Redis keep newer data, and restores a backup. */
export async function mysqlDrill(folder: string): Promise<void> {
  const file = join(folder, 'backup.sql.gz')
  const [ann, bob] = [await newPerson('ann'), await newPerson('bob')]
  await befriend(ann, bob)
  const room = await groupRoom(ann, [bob])
  await send(ann, room, 'before the backup')
  await caughtUp()
  const backedUpAt = new Date()
  await backup('backup', file)

  // Lost with the databases, but still known to Kafka, MongoDB and Redis.
  const eve = await newPerson('eve')
  await befriend(ann, eve)
  await http('POST', `${stack.gateway}/api/friends/${bob.id}/block`, { token: ann.token })
  for (const name of ['Ann 2', 'Ann 3'])
    await http('PUT', `${stack.gateway}/api/profile/me`, { token: ann.token, json: { display_name: name } })
  const lostRoom = await groupRoom(ann, [eve])
  await send(ann, lostRoom, 'in a room that is lost')
  await caughtUp()

  await stop(services)
  const databases = await query<{ name: string }>(
    "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE 'bigtech\\_%'",
  )
  for (const { name } of databases) await query(`DROP DATABASE ${name}`)
  await backup('restore', file)
  expect(
    bigtech('consumers', 'rewind', '--all', '--to', backedUpAt.toISOString(), '--apply').code === 0,
    'consumers read again from the time of the backup',
  )
  await start(services)
  await healed(120_000)
  await caughtUp()
  for (const owner of ['user-service', 'friend-service'])
    expect(
      bigtech('republish', owner, '--raise-versions', '--apply').code === 0,
      `${owner} publishes what others copy`,
    )
  await caughtUp()
  bigtech('verify', '--fix')
  expectVerified('after the restore')

  const zoe = await newPerson('zoe')
  expect(zoe.id > eve.id, `the id of an account that was lost (${eve.id}) is not given again (${zoe.id})`)
  const signedIn = await ann.signIn()
  await befriend(signedIn, zoe)
  const newRoom = await groupRoom(signedIn, [zoe])
  const history = await http('GET', `${stack.gateway}/api/messages/${newRoom}`, { token: signedIn.token })
  expect(
    !history.text.includes('in a room that is lost'),
    `a new room (${newRoom}) does not show the messages of one that was lost (${lostRoom})`,
  )
  expect(
    (await send(signedIn, room, 'after the restore')).status === 201,
    'a room from before the backup takes messages',
  )
  await caughtUp()
  expectVerified('after new traffic')
}
