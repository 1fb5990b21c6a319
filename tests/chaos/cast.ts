import { expectStatus, http, newPerson, type Person, stack } from '../e2e/stack.ts'

export interface Room {
  readonly id: number
  /** Members who write and read. */
  readonly members: readonly Person[]
  /** A member without an open stream, who receives push notifications. */
  readonly absent: Person
}

export interface Cast {
  readonly people: readonly Person[]
  readonly rooms: readonly Room[]
}

/** Creates users, and rooms with some of them. */
export async function gather(peopleCount: number, roomCount: number): Promise<Cast> {
  const people = await Promise.all(
    Array.from({ length: peopleCount }, (_, index) => newPerson(`사람 ${index}`)),
  )
  const absent = await newPerson('없는 사람')
  for (const { token } of [...people, absent]) {
    await expectStatus(
      200,
      http('PUT', `${stack.chat}/rooms/settings/me`, { token, json: { strangers_may_add: true } }),
    )
  }
  const rooms: Room[] = []
  for (let index = 0; index < roomCount; index++) {
    const members = people.filter((_, each) => (each + index) % 3 !== 0)
    const [owner, ...others] = members as [Person, ...Person[]]
    const { body } = await expectStatus(
      201,
      http('POST', `${stack.chat}/rooms`, {
        token: owner.token,
        json: { name: `방 ${index}`, member_ids: [...others, absent].map(({ id }) => id) },
      }),
    )
    rooms.push({ id: body.room_id, members, absent })
  }
  return { people, rooms }
}
