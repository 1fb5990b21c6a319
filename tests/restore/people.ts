import { uniqueName } from '@bigtech/testkit'
import { http, stack } from '../e2e/stack.ts'

export { http, stack }

const PASSWORD = 'Test1234!@'

/** A signed-in user. */
export interface Person {
  readonly id: number
  readonly token: string
  /** Signs in again, because sessions newer than a backup are lost. */
  signIn(): Promise<Person>
}

export async function newPerson(name: string): Promise<Person> {
  const username = uniqueName(name).slice(0, 20)
  const email = `${username}@example.com`
  const json = { email, username, password: PASSWORD, display_name: name }
  const { status, body, text } = await http('POST', `${stack.gateway}/api/auth/register`, { json })
  if (status !== 201) throw new Error(`register: ${status} ${text}`)
  return signIn(body.id, email)
}

async function signIn(id: number, email: string): Promise<Person> {
  const json = { email, password: PASSWORD }
  const { status, body, text } = await http('POST', `${stack.gateway}/api/auth/login/json`, { json })
  if (status !== 200) throw new Error(`login: ${status} ${text}`)
  return { id, token: body.access_token, signIn: () => signIn(id, email) }
}

export async function befriend(a: Person, b: Person): Promise<void> {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const json = { target_user_id: to.id }
    const { status, text } = await http('POST', `${stack.gateway}/api/friends/request`, {
      token: from.token,
      json,
    })
    if (status >= 300) throw new Error(`befriend: ${status} ${text}`)
  }
}
