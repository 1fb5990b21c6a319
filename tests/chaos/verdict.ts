import type { Message } from '@bigtech/contracts'
import { createKafka, readTopic } from '@bigtech/kafka'
import { createLogger } from '@bigtech/service-kit'
import { testServers, waitFor } from '@bigtech/testkit'
import { expectStatus, http, operatorToken, type Person, stack } from '../e2e/stack.ts'
import type { Watch } from '../e2e/watch.ts'
import type { Cast, Room } from './cast.ts'
import type { Acknowledged } from './senders.ts'

/** One guarantee and its result. */
export interface Verdict {
  readonly promise: string
  readonly expected: number
  readonly found: number
  readonly lost: number
  readonly doubled: number
  readonly disordered: number
}

type Histories = ReadonlyMap<number, readonly Message[]>

/** Reads the whole history of every room like a client. */
export async function readHistories(cast: Cast): Promise<Histories> {
  const histories = new Map<number, Message[]>()
  for (const { id, members } of cast.rooms) {
    const items: Message[] = []
    for (;;) {
      const after = items.at(-1)?.seq ?? 0
      const { body } = await get(
        (members[0] as Person).token,
        `${stack.chat}/messages/${id}?after_seq=${after}&limit=100`,
      )
      if (body.items.length === 0) break
      items.push(...body.items)
    }
    histories.set(id, items)
  }
  return histories
}

const get = (token: string, url: string) => expectStatus(200, http('GET', url, { token }))

/** Counts missing, duplicate and reordered entries relative to `expected`. */
function compare(promise: string, expected: readonly string[], found: readonly string[]): Verdict {
  const seen = new Set(found)
  const place = new Map(expected.map((each, index) => [each, index]))
  const firsts = [...seen].flatMap((each) => place.get(each) ?? [])
  return {
    promise,
    expected: expected.length,
    found: found.length,
    lost: expected.filter((each) => !seen.has(each)).length,
    doubled: found.length - seen.size,
    disordered: firsts.filter((each, index) => index > 0 && each < (firsts[index - 1] as number)).length,
  }
}

/** Returns the total of several results of one guarantee. */
export function sum(promise: string, parts: readonly Verdict[]): Verdict {
  const total = (of: (verdict: Verdict) => number) => parts.reduce((all, part) => all + of(part), 0)
  return {
    promise,
    expected: total(({ expected }) => expected),
    found: total(({ found }) => found),
    lost: total(({ lost }) => lost),
    doubled: total(({ doubled }) => doubled),
    disordered: total(({ disordered }) => disordered),
  }
}

/** Verifies that every acknowledged send is stored once at its acknowledged position, and none twice. */
export function judgeSends(
  acknowledged: readonly Pick<Acknowledged, 'messageId' | 'seq' | 'content'>[],
  histories: Histories,
): Verdict {
  const stored = [...histories.values()].flat().filter(({ message_type }) => message_type === 'text')
  const contents = stored.map(({ content }) => content)
  const line = (id: string, seq: number, content: string) => `${id} ${seq} ${content}`
  const places = new Set(stored.map(({ message_id, seq, content }) => line(message_id, seq, content)))
  return {
    promise: 'acknowledged sends, in the history',
    expected: acknowledged.length,
    found: contents.length,
    lost: acknowledged.filter(({ messageId, seq, content }) => !places.has(line(messageId, seq, content)))
      .length,
    doubled: contents.length - new Set(contents).size,
    disordered: 0,
  }
}

export function judgeSeqs(histories: Histories): Verdict {
  const parts = [...histories.values()].map((messages) => {
    const last = messages.at(-1)?.seq ?? 0
    const every = Array.from({ length: last }, (_, index) => String(index + 1))
    return compare(
      '',
      every,
      messages.map(({ seq }) => String(seq)),
    )
  })
  return sum('seq 1, 2, 3 ... in each room', parts)
}

/** Verifies that every stored message is published unchanged, in order per room, at least once. */
export async function judgeEvents(histories: Histories): Promise<Verdict[]> {
  const log = createLogger({ service: 'chaos', level: 'silent' })
  const kafka = createKafka({ clientId: 'chaos', brokers: testServers().kafka.brokers, topicPrefix: '', log })
  const fact = (
    each: Pick<Message, 'message_id' | 'seq' | 'user_id' | 'username' | 'content' | 'created_at'>,
  ) => [each.message_id, each.seq, each.user_id, each.username, each.content, each.created_at].join(' ')
  const expected = [...histories.values()].flat().length
  const read = async () => {
    const byRoom = new Map<number, string[]>()
    for (const { value } of await readTopic(kafka, 'message.events')) {
      const event = JSON.parse(String(value))
      if (event.event_type !== 'MessageSent' || !histories.has(event.room_id)) continue
      byRoom.set(event.room_id, [...(byRoom.get(event.room_id) ?? []), fact(event)])
    }
    return byRoom
  }
  try {
    await waitFor(
      async () => [...(await read()).values()].flatMap((each) => [...new Set(each)]).length >= expected,
      {
        timeoutMs: 60_000,
        intervalMs: 1_000,
      },
    ).catch(() => undefined)
    const byRoom = await read()
    const parts = [...histories].map(([room, messages]) =>
      compare('', messages.map(fact), byRoom.get(room) ?? []),
    )
    return [sum('stored messages, on message.events', parts)]
  } finally {
    await kafka.close()
  }
}

/** Verifies that each reader received each message once and in order. */
export async function judgeReaders(
  watches: readonly Watch[],
  cast: Cast,
  histories: Histories,
): Promise<Verdict> {
  const roomsOf = (index: number) =>
    cast.rooms.filter(({ members }) => members.includes(cast.people[index] as Person))
  const lastOf = ({ id }: Room) => histories.get(id)?.at(-1)?.seq ?? 0
  await waitFor(
    () =>
      watches.every((each, index) =>
        roomsOf(index).every((room) => (each.seqs(room.id).at(-1) ?? 0) >= lastOf(room)),
      ),
    { timeoutMs: 60_000, what: 'the readers to catch up' },
  ).catch(() => undefined)
  const parts = watches.flatMap((each, index) =>
    roomsOf(index).map(({ id }) =>
      compare(
        '',
        (histories.get(id) ?? []).map(({ seq }) => String(seq)),
        each.seqs(id).map(String),
      ),
    ),
  )
  return sum(`messages, to ${watches.length} readers`, parts)
}

/** Verifies that the unread counts of the room list equal the messages after the read position. */
export async function judgeUnread(cast: Cast, histories: Histories): Promise<Verdict> {
  const everybody = [...cast.people, ...new Set(cast.rooms.map(({ absent }) => absent))]
  let expected = 0
  let found = 0
  let wrong = 0
  for (const person of everybody) {
    const { body } = await get(person.token, `${stack.chat}/rooms?limit=100`)
    for (const room of body.items) {
      const positions = (await get(person.token, `${stack.chat}/rooms/${room.room_id}/read`)).body.items
      const position = positions.find((each: { user_id: number }) => each.user_id === person.id)?.seq ?? 0
      const unread = histories.get(room.room_id)?.filter(({ seq }) => seq > position).length ?? 0
      expected += unread
      found += room.unread_count
      if (unread !== room.unread_count) wrong++
    }
  }
  return { promise: 'unread figures, recounted', expected, found, lost: wrong, doubled: 0, disordered: 0 }
}

/** Verifies that the operators' figures count each message once. */
export async function judgeAnalytics(cast: Cast, histories: Histories): Promise<Verdict> {
  const count = async () => {
    let messages = 0
    for (const { id } of cast.rooms) {
      const { body } = await get(operatorToken, `${stack.analytics}/stats/rooms/${id}/hourly`)
      messages += body.items.reduce((all: number, each: { messages: number }) => all + each.messages, 0)
    }
    return messages
  }
  const expected = [...histories.values()]
    .flat()
    .filter(({ message_type }) => message_type !== 'system').length
  await waitFor(async () => (await count()) >= expected, { timeoutMs: 60_000, intervalMs: 500 }).catch(
    () => undefined,
  )
  return counted('messages, in the figures', expected, await count())
}

/** Verifies that the member without a stream is notified of every message in few push notifications. */
export async function judgePushes(cast: Cast, histories: Histories): Promise<Verdict> {
  const { absent } = cast.rooms[0] as Room
  const count = async () => {
    let told = 0
    let cursor = ''
    do {
      const url = `${stack.notification}/notifications/deliveries?limit=100${cursor && `&cursor=${cursor}`}`
      const { body } = await get(absent.token, url)
      for (const each of body.items) if (each.kind === 'message') told += each.event_count
      cursor = body.next_cursor ?? ''
    } while (cursor)
    return told
  }
  const expected = [...histories.values()]
    .flat()
    .filter(({ message_type }) => message_type !== 'system').length
  await waitFor(async () => (await count()) >= expected, { timeoutMs: 90_000, intervalMs: 1_000 }).catch(
    () => undefined,
  )
  return counted('messages, in pushes to the absent', expected, await count())
}

function counted(promise: string, expected: number, found: number): Verdict {
  const [lost, doubled] = [Math.max(0, expected - found), Math.max(0, found - expected)]
  return { promise, expected, found, lost, doubled, disordered: 0 }
}
