import { befriend, expectStatus, http, newModerator, newPerson, type Person, stack } from '../../e2e/stack.ts'

/** The roles of callers relative to the owner of the subject, in test order. */
export const roles = [
  'anonymous',
  'stranger',
  'moderator',
  'blocked',
  'removed',
  'friend',
  'member',
  'admin',
  'owner',
] as const
export type Role = (typeof roles)[number]

export interface Scene {
  readonly people: Readonly<Record<Exclude<Role, 'anonymous'>, Person>>
  /** Members of the group without friends, as targets. */
  readonly target: Person
  readonly other: Person
  /** The group. */
  readonly room: number
  /** Messages of the group: by its owner and by a member. */
  readonly messageId: string
  /** The owner's 1:1 rooms with the friend and with the blocked user. */
  readonly directRoom: number
  readonly severedRoom: number
  as(role: Role | 'target' | 'other'): Caller
  /** Creates another such group, for operations that end it. */
  newGroup(): Promise<number>
  newMessage(room: number, role: Role): Promise<string>
}

export type Caller = (method: string, path: string, json?: unknown) => Promise<{ body: Body; status: number }>
// biome-ignore lint/suspicious/noExplicitAny: a test asserts on whatever came
type Body = any

/** Creates the users once with their relations. */
export async function setScene(): Promise<Scene> {
  const [stranger, blocked, removed, friend, member, admin, owner, target, other] = (await Promise.all(
    Array.from({ length: 9 }, () => newPerson()),
  )) as [Person, Person, Person, Person, Person, Person, Person, Person, Person]
  const moderator = await newModerator()
  const people = { stranger, moderator, blocked, removed, friend, member, admin, owner }
  const tokens: Record<string, string | undefined> = { target: target.token, other: other.token }
  for (const [role, { token }] of Object.entries(people)) tokens[role] = token

  const as: Scene['as'] = (role) => (method, path, json) =>
    http(method, path, {
      ...(tokens[role] ? { token: tokens[role] } : {}),
      ...(json === undefined ? {} : { json }),
    })
  const must = async (role: keyof typeof tokens, method: string, path: string, json?: unknown) => {
    const { status, body } = await as(role as Role)(method, path, json)
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body)}`)
    return body
  }
  const newGroup = async () => {
    const members = [member, admin, removed, target].map(({ id }) => id)
    const { room_id: room } = await must('owner', 'POST', `${stack.chat}/rooms`, { member_ids: members })
    await must('owner', 'PUT', `${stack.chat}/rooms/${room}/members/${admin.id}/role`, { role: 'admin' })
    await must('owner', 'DELETE', `${stack.chat}/rooms/${room}/members/${removed.id}`)
    return room as number
  }
  const newMessage = async (room: number, role: Role) => {
    const { message_id } = await must(role, 'POST', `${stack.chat}/messages/${room}`, { content: '안녕' })
    return message_id as string
  }

  for (const role of ['member', 'admin', 'removed', 'target'] as const)
    await must(role, 'PUT', `${stack.chat}/rooms/settings/me`, { strangers_may_add: true })
  await must('owner', 'PUT', `${stack.user}/profile/me/settings`, { presence_visibility: 'friends' })
  const [directRoom, severedRoom] = await Promise.all([befriend(owner, friend), befriend(owner, blocked)])
  await must('owner', 'POST', `${stack.friend}/friends/${blocked.id}/block`)
  const room = await newGroup()
  const messageId = await newMessage(room, 'owner')
  return { people, target, other, room, messageId, directRoom, severedRoom, as, newGroup, newMessage }
}

/** Sends a friend request; resolves to its id. */
export async function askForFriendship(from: Person, to: Person): Promise<number> {
  const { body } = await expectStatus(
    201,
    http('POST', `${stack.friend}/friends/request`, { token: from.token, json: { target_user_id: to.id } }),
  )
  return body.request_id
}
