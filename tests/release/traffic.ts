import { waitFor } from '@bigtech/testkit'
import type { Cast, Room } from '../chaos/cast.ts'
import type { Acknowledged } from '../chaos/senders.ts'
import { type Person, stack } from '../e2e/stack.ts'
import { type Watch, watch } from '../e2e/watch.ts'
import { Requests } from './requests.ts'

/** What became of the sends. */
export interface Sent {
  readonly acknowledged: Pick<Acknowledged, 'messageId' | 'seq' | 'content'>[]
}

/** chat-service closes the oldest stream of a user who opens more. */
const STREAMS_PER_PERSON = 10
const SENDS_PER_SECOND = 8
/** Senders wait like people when nothing is acknowledged, so that their repetitions do not overload the system. */
const MOST_SENDS_IN_FLIGHT = 24
const READ_EVERY_MS = 400
const UPLOAD_EVERY_MS = 2_000

export interface Traffic {
  readonly requests: Requests
  /** Streams, those of a person in a row. */
  readonly watches: readonly Watch[]
  /** Times at which streams were opened, in milliseconds since the epoch. */
  readonly openings: readonly number[]
  /** Stops; resolves to the sends after the last response. */
  stop(): Promise<Sent>
}

/** Starts senders, readers, uploads and open streams of all people at the gateway. */
export async function startTraffic(cast: Cast): Promise<Traffic> {
  const openings: number[] = []
  const watches = await openStreams(cast, openings)
  const requests = new Requests()
  const stopping = new AbortController()
  const acknowledged: Sent['acknowledged'] = []
  const loops = [
    ...cast.people.map((person, index) => {
      const { session } = watches[index * STREAMS_PER_PERSON] as Watch
      return read({ person, token: () => session.token(), requests, stopping: stopping.signal })
    }),
    sendAll({ cast, tokenOf: tokens(cast, watches), requests, stopping: stopping.signal, acknowledged }),
  ]
  return {
    requests,
    watches,
    openings,
    stop: async () => {
      stopping.abort()
      await Promise.all(loops)
      return { acknowledged }
    },
  }
}

async function openStreams(cast: Cast, openings: number[]): Promise<Watch[]> {
  const watches: Watch[] = []
  for (const person of cast.people) {
    const own = Array.from({ length: STREAMS_PER_PERSON }, () =>
      watch(person, `${stack.gateway}/api`, { onOpen: () => openings.push(Date.now()) }),
    )
    watches.push(...(await Promise.all(own)))
  }
  await waitFor(() => openings.length >= watches.length, { what: 'all streams' })
  return watches
}

function tokens(cast: Cast, watches: readonly Watch[]): (person: Person) => Promise<string> {
  return (person) => (watches[cast.people.indexOf(person) * STREAMS_PER_PERSON] as Watch).session.token()
}

interface Sends {
  readonly cast: Cast
  readonly tokenOf: (person: Person) => Promise<string>
  readonly requests: Requests
  readonly stopping: AbortSignal
  readonly acknowledged: Sent['acknowledged']
}

async function sendAll(options: Sends): Promise<void> {
  const { cast, stopping } = options
  const inFlight = new Set<Promise<void>>()
  for (let number = 0; !stopping.aborted; number++) {
    const room = cast.rooms[number % cast.rooms.length] as Room
    const from = room.members[Math.floor(number / cast.rooms.length) % room.members.length] as Person
    const sent: Promise<void> = send(options, room, from, number).finally(() => inFlight.delete(sent))
    inFlight.add(sent)
    if (inFlight.size >= MOST_SENDS_IN_FLIGHT) await Promise.race(inFlight)
    await pause(1_000 / SENDS_PER_SECOND, stopping)
  }
  await Promise.all(inFlight)
}

async function send(options: Sends, room: Room, from: Person, number: number): Promise<void> {
  const { tokenOf, requests, acknowledged } = options
  const content = `${room.id} ${from.id} ${number}`
  const body = (await requests.send('send a message', {
    method: 'POST',
    url: `${stack.gateway}/api/messages/${room.id}`,
    token: await tokenOf(from),
    json: { content, client_message_id: `release-${number}` },
  })) as { message_id: string; seq: number } | undefined
  if (body) acknowledged.push({ messageId: body.message_id, seq: body.seq, content })
}

const reads = {
  'load the page': '/',
  'read the profile': '/api/profile/me',
  'list friends': '/api/friends',
  'list rooms': '/api/rooms',
  'list files': '/api/files',
  'list deliveries': '/api/notifications/deliveries',
}

async function read(options: {
  person: Person
  token: () => Promise<string>
  requests: Requests
  stopping: AbortSignal
}): Promise<void> {
  const { token, requests, stopping } = options
  const url = (path: string) => `${stack.gateway}${path}`
  let uploadAt = 0
  while (!stopping.aborted) {
    for (const [kind, path] of Object.entries(reads))
      await requests.send(kind, { method: 'GET', url: url(path), token: await token() })
    if (Date.now() >= uploadAt) {
      uploadAt = Date.now() + UPLOAD_EVERY_MS
      await requests.send('upload a file', {
        method: 'POST',
        url: url('/api/files'),
        token: await token(),
        form: note,
      })
    }
    await pause(READ_EVERY_MS, stopping)
  }
}

function note(): FormData {
  const form = new FormData()
  form.set('file', new Blob(['a note'], { type: 'text/plain' }), 'note.txt')
  return form
}

async function pause(durationMs: number, stopping: AbortSignal): Promise<void> {
  if (stopping.aborted) return
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      stopping.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, durationMs)
    stopping.addEventListener('abort', done)
  })
}
