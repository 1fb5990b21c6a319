import { createHash } from 'node:crypto'
import { type Topic, topics } from '@bigtech/contracts'
import { createKafka, createPublisher, readTopic } from '@bigtech/kafka'
import { createLogger } from '@bigtech/service-kit'
import { testServers, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  befriend,
  expectStatus,
  http,
  newPerson,
  operatorToken,
  type Person,
  password,
  stack,
} from '../e2e/stack.ts'
import { type Watch, watch } from '../e2e/watch.ts'

const kafka = createKafka({
  clientId: 'replay-test',
  brokers: testServers().kafka.brokers,
  topicPrefix: '',
  log: createLogger({ service: 'replay-test', level: 'silent' }),
})
const publisher = createPublisher({ kafka })

let people: Person[]
let direct: number
let group: number
let watching: Watch

const as = (person: Person) => (method: string, url: string, json?: unknown) =>
  http(method, url, { token: person.token, ...(json === undefined ? {} : { json }) })

/** Publishes every kind of event: friendships made, ended and blocked, rooms, messages, a deleted account. */
beforeAll(async () => {
  people = await Promise.all(Array.from({ length: 6 }, (_, index) => newPerson(`사람${index}`)))
  const [mina, juno, ended, blocked, asker, gone] = people as [Person, Person, Person, Person, Person, Person]
  direct = await befriend(mina, juno)
  for (const other of [ended, blocked, gone]) await befriend(mina, other)
  const my = as(mina)
  await my('DELETE', `${stack.friend}/friends/${ended.id}`)
  await my('POST', `${stack.friend}/friends/${blocked.id}/block`)
  await as(asker)('POST', `${stack.friend}/friends/request`, { target_user_id: mina.id })
  const created = await expectStatus(
    201,
    my('POST', `${stack.chat}/rooms`, { name: '등산', member_ids: [juno.id, gone.id] }),
  )
  group = created.body.room_id
  await my('PATCH', `${stack.chat}/rooms/${group}`, { name: '일요일 등산' })
  await my('PUT', `${stack.chat}/rooms/${group}/members/${juno.id}/role`, { role: 'admin' })
  for (const room of [direct, group]) await chatIn(room, my)
  await as(juno)('PUT', `${stack.chat}/rooms/${group}/read`, { seq: 1 })
  await my('PUT', `${stack.user}/profile/me`, { display_name: '새 이름', status_message: '휴가' })
  await as(gone)('DELETE', `${stack.user}/profile/me`, { password, message_policy: 'remove' })
  watching = await watch(juno, stack.chat)
  await settled()
}, 120_000)

afterAll(async () => {
  watching?.close()
  await publisher.stop()
  await kafka.close()
})

async function chatIn(room: number, my: ReturnType<typeof as>): Promise<void> {
  const send = async (content: string) =>
    (await expectStatus(201, my('POST', `${stack.chat}/messages/${room}`, { content }))).body.message_id
  const first = await send('하나')
  const second = await send('둘')
  await send('셋')
  await my('PATCH', `${stack.chat}/messages/${room}/${first}`, { content: '하나!' })
  await my('DELETE', `${stack.chat}/messages/${room}/${second}`)
}

/** Waits until all consumers are idle and no event waits for publication. */
async function settled(): Promise<void> {
  const figures = async () => {
    const texts = await Promise.all(
      [stack.user, stack.friend, stack.chat, stack.notification, stack.analytics].map(
        async (url) => (await http('GET', `${url}/metrics`)).text,
      ),
    )
    const lines = texts.join('\n').split('\n')
    const waiting = lines
      .filter((line) => line.startsWith('outbox_backlog_events'))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
    return {
      waiting,
      done: lines.filter((line) => line.startsWith('kafka_consumer_events_total')).join('\n'),
    }
  }
  let last = ''
  let same = 0
  await waitFor(
    async () => {
      const { waiting, done } = await figures()
      same = waiting === 0 && done === last ? same + 1 : 0
      last = done
      return same >= 6
    },
    { intervalMs: 250, timeoutMs: 90_000, what: 'the consumers to come to rest' },
  )
}

/** Returns everything that the services show about these users. */
async function everything(): Promise<Record<string, unknown>> {
  const [mina, juno] = people as [Person, Person]
  const shown: Record<string, unknown> = {}
  for (const [index, person] of people.slice(0, 5).entries()) {
    const paths = [
      `${stack.user}/users?user_ids=${people.map(({ id }) => id).join(',')}`,
      `${stack.user}/users/search?q=${people[1]?.username}`,
      `${stack.friend}/friends?limit=100`,
      `${stack.friend}/friends/requests?direction=incoming`,
      `${stack.friend}/friends/requests?direction=outgoing`,
      `${stack.friend}/friends/blocked`,
      `${stack.chat}/rooms?limit=100`,
      `${stack.notification}/notifications/deliveries?limit=100`,
    ]
    for (const path of paths)
      shown[`${index} ${path}`] = withoutPresence((await as(person)('GET', path)).body)
  }
  for (const room of [direct, group]) {
    for (const path of [`/messages/${room}?limit=100`, `/rooms/${room}/members`, `/rooms/${room}/read`])
      shown[path] = (await as(juno)('GET', stack.chat + path)).body
  }
  for (const path of ['/stats/summary', '/stats/daily', `/stats/rooms/${group}/hourly`])
    shown[path] = (await http('GET', stack.analytics + path, { token: operatorToken })).body
  shown.mails = (
    await http('GET', `${stack.mailbox}/api/mails?to=${encodeURIComponent(mina.email)}`)
  ).body.items.length
  return shown
}

/** Presence changes by itself. */
function withoutPresence(body: unknown): unknown {
  return JSON.parse(
    JSON.stringify(body, (key, value) => (['online', 'last_seen_at'].includes(key) ? undefined : value)),
  )
}

/** Returns the distinct events of a topic by id and content. */
async function contentOf(topic: Topic): Promise<Set<string>> {
  const records = await readTopic(kafka, topic)
  return new Set(
    records.map(({ value }) =>
      createHash('sha256')
        .update(value ?? '')
        .digest('hex'),
    ),
  )
}

/** Presence is transient and may be published again at any time. */
const durable = (Object.keys(topics) as Topic[]).filter(
  (topic) => topic !== 'chat.presence' && topic !== 'user.online_status',
)

const confirmations = ['notification.events', 'analytics.events', 'media.events'] as const

describe('replayed from its start', () => {
  let before: Record<string, unknown>
  let published: Map<Topic, number>

  const publishedNow = async () =>
    new Map(await Promise.all(durable.map(async (topic) => [topic, (await contentOf(topic)).size] as const)))

  beforeAll(async () => {
    ;[before, published] = await Promise.all([everything(), publishedNow()])
  })

  it('replaying every topic changes nothing', async () => {
    const framesBefore = watching.frames.length
    for (const topic of Object.keys(topics) as Topic[]) {
      const records = await readTopic(kafka, topic)
      expect(records.length, topic).toBeGreaterThan(0)
      await publisher.publish(records.map(({ key, value, headers }) => ({ topic, key, value, headers })))
    }
    await settled()

    expect(await everything()).toEqual(before)
    const shown = watching.frames.slice(framesBefore).map(({ event }) => event)
    for (const name of ['message', 'message_updated', 'room_added', 'room_removed', 'reset'])
      expect(shown).not.toContain(name)
  }, 120_000)

  it('replaying publishes nothing except repeated confirmations of an erasure', async () => {
    const now = await publishedNow()
    // user-service repeats UserDeleted until each service has confirmed it.
    for (const topic of confirmations) expect(now.get(topic)).toBeGreaterThan(published.get(topic)!)
    const others = (counts: Map<Topic, number>) =>
      [...counts].filter(([topic]) => !confirmations.some((each) => each === topic))
    expect(others(now)).toEqual(others(published))
  })
})

it('after a replay offline users still get push notifications, and connected users do not', async () => {
  const [mina, juno] = people as [Person, Person]
  const away = await newPerson()
  const pushes = async (person: Person, room: number) =>
    (await as(person)('GET', `${stack.notification}/notifications/deliveries?limit=100`)).body.items.filter(
      (item: { room_id: number; kind: string }) => item.kind === 'message' && item.room_id === room,
    )
  const other = await befriend(mina, away)
  const seen = (await pushes(juno, direct)).length
  await as(mina)('POST', `${stack.chat}/messages/${direct}`, { content: '보고 있지?' })
  await as(mina)('POST', `${stack.chat}/messages/${other}`, { content: '안 보이네' })
  await waitFor(async () => (await pushes(away, other)).length > 0, { timeoutMs: 20_000, what: 'the push' })
  expect((await pushes(juno, direct)).length).toBe(seen)
})
