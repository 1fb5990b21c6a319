import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheRoot, ensureArtefact, unpackDebian } from '@bigtech/devstack'
import { readPositionals } from '@bigtech/service-kit'
import { testServers, waitFor } from '@bigtech/testkit'
import mariadb from 'mariadb'
import { control, healed, type ProcessName } from '../e2e/control.ts'
import { befriend, http, newPerson, type Person, stack } from './people.ts'

const usage = `Usage: npm run restore-drill
Backs MySQL up, changes more, loses every database, restores the backup as docs/deployment says, and checks that
nothing contradicts anything afterwards. Needs a running npm start, whose data it replaces. Takes about two minutes.`

readPositionals(usage)

const root = join(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'bigtech-restore-'))
const file = join(folder, 'backup.sql.gz')
const services: readonly ProcessName[] = [
  'user-service',
  'friend-service',
  'chat-service',
  'notification-service',
  'analytics-service',
  'media-service',
  'media-worker',
]

/** Runs the operators' command; returns its output. */
function bigtech(...args: string[]): { code: number | null; answer: ReturnType<typeof JSON.parse> } {
  const main = join(root, 'packages/cli/src/main.ts')
  const done = spawnSync(
    process.execPath,
    ['--disable-warning=TimeoutNegativeWarning', main, '--json', ...args],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  return { code: done.status, answer: done.stdout === '' ? undefined : JSON.parse(done.stdout) }
}

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

async function backup(command: 'backup' | 'restore'): Promise<void> {
  const { host, port, password } = testServers().mysql
  const env = {
    ...process.env,
    PATH: `${await clientPrograms()}:${process.env.PATH}`,
    MYSQL_HOST: host,
    MYSQL_PORT: String(port),
    MYSQL_ROOT_PASSWORD: password,
  }
  const child = spawn(join(root, 'infrastructure/docker/backup/mysql.sh'), [command, file], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`mysql.sh ${command} ended with ${code}`)
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

const send = (from: Person, room: number, content: string) =>
  http('POST', `${stack.gateway}/api/messages/${room}`, { token: from.token, json: { content } })

async function groupRoom(owner: Person, members: readonly Person[]): Promise<number> {
  const json = { name: 'restore', member_ids: members.map(({ id }) => id) }
  const { status, body, text } = await http('POST', `${stack.gateway}/api/rooms`, {
    token: owner.token,
    json,
  })
  if (status !== 201) throw new Error(`room: ${status} ${text}`)
  return body.room_id
}

async function each(action: 'start' | 'stop'): Promise<void> {
  for (const name of action === 'stop' ? services.toReversed() : services) await control(name, action)
}

const caughtUp = () =>
  waitFor(
    () => {
      const waiting = bigtech('outbox', 'backlog').answer.reduce(
        (sum: number, row: { waiting: number }) => sum + row.waiting,
        0,
      )
      const lag = bigtech('consumers', 'lag').answer.reduce(
        (sum: number, row: { records: number }) => sum + row.records,
        0,
      )
      return waiting === 0 && lag === 0
    },
    { timeoutMs: 120_000, what: 'every event to be consumed' },
  )

const problems: string[] = []
function expect(holds: boolean, what: string): void {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}`)
  if (!holds) problems.push(what)
}

async function drill(): Promise<void> {
  const [ann, bob] = [await newPerson('ann'), await newPerson('bob')]
  await befriend(ann, bob)
  const room = await groupRoom(ann, [bob])
  await send(ann, room, 'before the backup')
  await caughtUp()
  const backedUpAt = new Date()
  await backup('backup')

  // Lost with the databases, but still known to Kafka, MongoDB and Redis.
  const eve = await newPerson('eve')
  await befriend(ann, eve)
  await http('POST', `${stack.gateway}/api/friends/${bob.id}/block`, { token: ann.token })
  for (const name of ['Ann 2', 'Ann 3'])
    await http('PUT', `${stack.gateway}/api/profile/me`, { token: ann.token, json: { display_name: name } })
  const lostRoom = await groupRoom(ann, [eve])
  await send(ann, lostRoom, 'in a room that is lost')
  await caughtUp()

  await each('stop')
  const databases = await query<{ name: string }>(
    "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE 'bigtech\\_%'",
  )
  for (const { name } of databases) await query(`DROP DATABASE ${name}`)
  await backup('restore')
  expect(
    bigtech('consumers', 'rewind', '--all', '--to', backedUpAt.toISOString(), '--apply').code === 0,
    'consumers read again from the time of the backup',
  )
  await each('start')
  await healed(120_000)
  await caughtUp()
  for (const owner of ['user-service', 'friend-service'])
    expect(
      bigtech('republish', owner, '--raise-versions', '--apply').code === 0,
      `${owner} publishes what others copy`,
    )
  await caughtUp()
  bigtech('verify', '--fix')
  const { code, answer } = bigtech('verify')
  expect(code === 0, `verify finds nothing wrong: ${JSON.stringify(answer?.findings)}`)

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
  expect(bigtech('verify').code === 0, 'verify finds nothing wrong after new traffic')
}

try {
  await drill()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(problems.length === 0 ? 'The restore holds.' : `${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
