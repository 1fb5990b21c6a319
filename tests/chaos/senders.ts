import type { Person } from '../e2e/stack.ts'
import { stack } from '../e2e/stack.ts'
import type { Cast, Room } from './cast.ts'

/** A send that was acknowledged. */
export interface Acknowledged {
  readonly room: number
  readonly clientMessageId: string
  readonly messageId: string
  readonly seq: number
  readonly content: string
  /** From the first try to the acknowledgement. */
  readonly tookMs: number
  readonly tries: number
  readonly at: number
}

export interface Sending {
  readonly acknowledged: readonly Acknowledged[]
  /** Contents of sends that nobody acknowledged in time: they may be there, once. */
  readonly unanswered: readonly string[]
  /** Responses that no client should ever get. */
  readonly wrong: readonly string[]
}

const GIVE_UP_MS = 60_000
const TRY_TIMEOUT_MS = 5_000
const MOST_IN_FLIGHT = 200
/** What says "again", by status: too many, store unavailable, stopping. */
const again = new Set([429, 502, 503, 504])

/** Sends so many messages a second for so long; each is repeated, with its id, until it is acknowledged. */
export async function sendFor(options: {
  cast: Cast
  seconds: number
  rate: number
  fetch: typeof fetch
}): Promise<Sending> {
  const { cast, seconds, rate, fetch } = options
  const acknowledged: Acknowledged[] = []
  const unanswered: string[] = []
  const wrong: string[] = []
  const inFlight = new Set<Promise<void>>()
  const began = performance.now()
  for (let number = 0; number < seconds * rate; number++) {
    const dueMs = (number * 1_000) / rate - (performance.now() - began)
    if (dueMs > 0) await new Promise((resolve) => setTimeout(resolve, dueMs))
    if (inFlight.size >= MOST_IN_FLIGHT) await Promise.race(inFlight)
    const room = cast.rooms[number % cast.rooms.length] as Room
    const from = room.members[Math.floor(number / cast.rooms.length) % room.members.length] as Person
    const content = `${room.id} ${from.id} ${number}`
    const work = sendUntilAcknowledged({ room: room.id, from, content, id: `chaos-${number}`, fetch }).then(
      (result) => {
        if (typeof result === 'string') wrong.push(result)
        else if (result) acknowledged.push(result)
        else unanswered.push(content)
      },
    )
    const tracked: Promise<void> = work.finally(() => inFlight.delete(tracked))
    inFlight.add(tracked)
  }
  await Promise.all(inFlight)
  return { acknowledged, unanswered, wrong }
}

async function sendUntilAcknowledged(message: {
  room: number
  from: Person
  content: string
  id: string
  fetch: typeof fetch
}): Promise<Acknowledged | string | undefined> {
  const { room, from, content, id } = message
  const began = performance.now()
  for (let tries = 1; performance.now() - began < GIVE_UP_MS; tries++) {
    const answer = await tryToSend(message)
    if (answer?.status === 201) {
      const { message_id: messageId, seq } = answer.body as { message_id: string; seq: number }
      const tookMs = performance.now() - began
      return { room, clientMessageId: id, messageId, seq, content, tookMs, tries, at: Date.now() }
    }
    if (answer && !again.has(answer.status))
      return `${from.id} to ${room}: ${answer.status} ${JSON.stringify(answer.body)}`
    await new Promise((resolve) => setTimeout(resolve, Math.min(1_000, 100 * tries) * (0.5 + Math.random())))
  }
  return undefined
}

/** Undefined without a response: the message may or may not have been stored. */
async function tryToSend(message: {
  room: number
  from: Person
  content: string
  id: string
  fetch: typeof fetch
}): Promise<{ status: number; body: unknown } | undefined> {
  const { room, from, content, id, fetch } = message
  try {
    const response = await fetch(`${stack.chat}/messages/${room}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${from.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ content, client_message_id: id }),
      signal: AbortSignal.timeout(TRY_TIMEOUT_MS),
    })
    return { status: response.status, body: await response.json() }
  } catch {
    return undefined
  }
}
