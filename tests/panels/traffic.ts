import { http, newPerson, type Person, stack } from '../e2e/stack.ts'
import { connect } from '../e2e/watch.ts'

/** Calls the API as a person; returns the body. @throws when the status is not the expected one */
async function as(person: Person, method: string, path: string, status: number, json?: unknown) {
  const options = { token: person.token, ...(json === undefined ? {} : { json }) }
  const response = await http(method, `${stack.gateway}/api${path}`, options)
  if (response.status !== status) throw new Error(`${method} ${path}: ${response.status} ${response.text}`)
  return response.body
}

/** Uploads a text file and waits until it was examined. */
async function uploadNote(person: Person): Promise<void> {
  const form = new FormData()
  form.set('file', new Blob(['a note'], { type: 'text/plain' }), 'note.txt')
  const headers = { authorization: `Bearer ${person.token}` }
  const response = await fetch(`${stack.gateway}/api/files`, { method: 'POST', headers, body: form })
  if (response.status !== 201) throw new Error(`upload: ${response.status}`)
  const { file_id } = (await response.json()) as { file_id: string }
  await as(person, 'GET', `/files/${file_id}?wait_seconds=20`, 200)
}

/** Does what users do, including mistakes, so that every panel has something to show. */
export async function makeTraffic(): Promise<void> {
  const [ann, bob] = [await newPerson('ann'), await newPerson('bob')]
  await as(ann, 'POST', '/friends/request', 201, { target_user_id: bob.id })
  const { items } = await as(bob, 'GET', '/friends/requests?direction=incoming', 200)
  await as(bob, 'POST', `/friends/requests/${items[0].request_id}/accept`, 200)
  await as(ann, 'GET', '/friends', 200)
  const stream = await connect(bob.token)
  const room = await as(ann, 'POST', '/rooms', 201, { name: 'panels', member_ids: [bob.id] })
  for (const content of ['one', 'two', 'three'])
    await as(ann, 'POST', `/messages/${room.room_id}`, 201, { content })
  await as(bob, 'GET', `/messages/${room.room_id}`, 200)
  await as(bob, 'GET', '/rooms', 200)
  await as(ann, 'GET', `/users/search?q=${bob.username}`, 200)
  await uploadNote(ann)
  await as(ann, 'GET', '/messages/999999999', 404)
  await as(ann, 'GET', '/users/999999999', 404)
  await as(ann, 'POST', '/friends/request', 400, { target_user_id: ann.id })
  await as(ann, 'GET', `/files/${crypto.randomUUID()}`, 404)
  const { refreshToken } = ann
  await http('POST', `${stack.gateway}/api/auth/refresh`, { json: { refresh_token: refreshToken } })
  stream.close()
}
