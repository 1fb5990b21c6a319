import { uniqueName, waitFor } from '@bigtech/testkit'
import {
  befriend,
  expectStatus,
  http,
  newModerator,
  newPerson,
  type Person,
  signIn,
  stack,
} from '../e2e/stack.ts'
import type { Values } from './operations.ts'

/** A list with items, and a function that adds one. */
export interface List {
  readonly operationId: string
  /** Two readers, because some lists are rate-limited. */
  readonly readers: readonly [Person, Person]
  readonly params?: Values
  readonly query?: Values
  readonly insert: (count: number) => Promise<unknown>
  // biome-ignore lint/suspicious/noExplicitAny: tests inspect arbitrary responses
  readonly keyOf: (item: any) => unknown
}

const chat = (person: Person, method: string, path: string, json?: unknown) =>
  http(method, stack.chat + path, { token: person.token, ...(json === undefined ? {} : { json }) })
const friends = (person: Person, method: string, path: string, json?: unknown) =>
  http(method, stack.friend + path, { token: person.token, ...(json === undefined ? {} : { json }) })

async function times<Value>(count: number, make: (index: number) => Promise<Value>): Promise<Value[]> {
  const made: Value[] = []
  for (let index = 0; index < count; index++) made.push(await make(index))
  return made
}

/** Returns every list of the product with at least five items each. */
export async function allLists(): Promise<List[]> {
  const tag = uniqueName('목록').slice(0, 10)
  const people = await Promise.all(Array.from({ length: 12 }, (_, index) => newPerson(`${tag}${index}`)))
  const [asked, hub, blocker, reader, ...others] = people as [Person, Person, Person, Person, ...Person[]]
  /** Unused users; each insert takes one. */
  const rest = () => [...others]
  return (
    await Promise.all([
      userLists(tag, asked, reader),
      friendLists({ asked, hub, blocker, reader, rest }),
      roomLists(hub, reader, others),
      moderationLists([asked, hub]),
    ])
  ).flat()
}

async function moderationLists(reporters: readonly [Person, Person]): Promise<List[]> {
  const [moderator, target] = await Promise.all([newModerator(), newPerson()])
  const post = (person: Person, path: string, json: unknown) =>
    expectStatus(201, http('POST', `${stack.user}/moderation${path}`, { token: person.token, json }))
  const warn = (reporter: Person) => async () => {
    const { body } = await post(reporter, '/reports', { user_id: target.id, reason: 'spam' })
    await post(moderator, `/reports/${body.report_id}/decisions`, { action: 'warn' })
  }
  await times(5, warn(reporters[0]))
  const readers = [moderator, moderator] as const
  return [
    // Closed ones, because other tests affect the open ones.
    {
      operationId: 'listReports',
      readers,
      query: { state: 'closed' },
      insert: warn(reporters[0]),
      keyOf: ({ report_id }) => report_id,
    },
    {
      operationId: 'listDecisions',
      readers,
      query: { user_id: target.id },
      insert: warn(reporters[1]),
      keyOf: ({ decision_id }) => decision_id,
    },
    {
      operationId: 'listModerationNotices',
      readers: [target, target],
      insert: warn(reporters[1]),
      keyOf: ({ notice_id }) => notice_id,
    },
  ]
}

async function userLists(tag: string, person: Person, reader: Person): Promise<List[]> {
  const openSession = () => signIn(person.email)
  const [operator] = await Promise.all([newModerator('operator'), times(5, openSession)])
  const prefix = uniqueName('l').slice(0, 15)
  const register = (name: string) => newPerson(undefined, `${prefix}${name}`)
  await times(5, (count) => register(`a${count}`))
  return [
    {
      operationId: 'listSessions',
      readers: [person, person],
      insert: openSession,
      keyOf: ({ session_id }) => session_id,
    },
    {
      operationId: 'listMyActivities',
      readers: [person, person],
      insert: openSession,
      keyOf: ({ activity_id }) => activity_id,
    },
    {
      operationId: 'getUsers',
      readers: [operator, operator],
      query: { q: prefix },
      insert: (count) => register(`b${count}`),
      keyOf: ({ user_id }) => user_id,
    },
    {
      operationId: 'searchUsers',
      readers: [person, reader],
      query: { q: tag },
      insert: (count) => newPerson(`${tag}~${count}`),
      keyOf: ({ user_id }) => user_id,
    },
  ]
}

async function friendLists(cast: {
  asked: Person
  hub: Person
  blocker: Person
  reader: Person
  rest: () => Person[]
}): Promise<List[]> {
  const { asked, hub, blocker, reader, rest } = cast
  const [askers, made, blocked, restricted] = [rest(), rest(), rest(), rest()]
  const ask = async () => {
    const from = askers.pop() ?? (await newPerson())
    await expectStatus(201, friends(from, 'POST', '/friends/request', { target_user_id: asked.id }))
  }
  const makeFriend = async () => befriend(made.pop() ?? (await newPerson()), hub)
  const block = async () =>
    friends(blocker, 'POST', `/friends/${(blocked.pop() ?? (await newPerson())).id}/block`)
  const restrict = async () =>
    friends(blocker, 'POST', `/friends/${(restricted.pop() ?? (await newPerson())).id}/restriction`)
  await Promise.all([
    times(5, restrict),
    times(5, ask),
    befriend(reader, hub),
    times(5, makeFriend),
    times(5, block),
  ])
  const readers = (person: Person) => [person, person] as const
  const keyOf: List['keyOf'] = ({ user_id }) => user_id
  await waitFor(async () => {
    const { body } = await http('GET', `${stack.notification}/notifications/deliveries`, {
      token: asked.token,
    })
    return body.items.length >= 5
  })
  return [
    {
      operationId: 'listFriendRequests',
      readers: readers(asked),
      insert: ask,
      keyOf: ({ request_id }) => request_id,
    },
    { operationId: 'listFriends', readers: readers(hub), insert: makeFriend, keyOf },
    { operationId: 'listBlockedUsers', readers: readers(blocker), insert: block, keyOf },
    { operationId: 'listRestrictedUsers', readers: readers(blocker), insert: restrict, keyOf },
    // The friends of the reader's only friend.
    { operationId: 'listFriendSuggestions', readers: readers(reader), insert: makeFriend, keyOf },
    {
      operationId: 'listDeliveries',
      readers: readers(asked),
      insert: ask,
      keyOf: ({ delivery_id }) => delivery_id,
    },
  ]
}

async function roomLists(owner: Person, member: Person, others: readonly Person[]): Promise<List[]> {
  const joining = [...others]
  const open = () => expectStatus(201, chat(owner, 'POST', '/rooms', {}))
  const room = (await open()).body.room_id as number
  const { body: link } = await chat(owner, 'POST', `/rooms/${room}/links`, {})
  const join = async () => chat(joining.pop() ?? (await newPerson()), 'POST', `/rooms/join/${link.token}`)
  await chat(member, 'POST', `/rooms/join/${link.token}`)
  const addLink = () => expectStatus(201, chat(owner, 'POST', `/rooms/${room}/links`, {}))
  const send = () => expectStatus(201, chat(owner, 'POST', `/messages/${room}`, { content: '찾아보세요' }))
  let banned = 900_000_000
  const ban = () => expectStatus(204, chat(owner, 'PUT', `/rooms/${room}/bans/${++banned}`))
  await Promise.all([times(5, open), times(4, join), times(5, addLink), times(6, send), times(5, ban)])
  const edited = (await send()).body.message_id as string
  let edits = 0
  const edit = () =>
    expectStatus(200, chat(owner, 'PATCH', `/messages/${room}/${edited}`, { content: `찾아 ${++edits}` }))
  await times(5, edit)
  // The search index follows about a second later.
  const found = `/messages/search?q=${encodeURIComponent('찾아')}&room_id=${room}&limit=100`
  await waitFor(async () => (await chat(owner, 'GET', found)).body.items.length === 7)
  const inRoom = { readers: [owner, member], params: { room_id: room } } as const
  const ownersAlone = { readers: [owner, owner], params: { room_id: room } } as const
  const messageKey: List['keyOf'] = ({ message_id }) => message_id
  return [
    { operationId: 'listRooms', readers: [owner, owner], insert: open, keyOf: ({ room_id }) => room_id },
    { operationId: 'listRoomMembers', ...inRoom, insert: join, keyOf: ({ user_id }) => user_id },
    { operationId: 'listJoinLinks', ...ownersAlone, insert: addLink, keyOf: ({ link_id }) => link_id },
    { operationId: 'listRoomBans', ...ownersAlone, insert: ban, keyOf: ({ user_id }) => user_id },
    { operationId: 'listRoomAudit', ...ownersAlone, insert: ban, keyOf: ({ audit_id }) => audit_id },
    { operationId: 'listMessages', ...inRoom, insert: send, keyOf: messageKey },
    {
      operationId: 'listMessageVersions',
      readers: inRoom.readers,
      params: { room_id: room, message_id: edited },
      insert: edit,
      keyOf: ({ rev }) => rev,
    },
    {
      operationId: 'searchMessages',
      readers: inRoom.readers,
      query: { q: '찾아' },
      insert: send,
      keyOf: messageKey,
    },
  ]
}
