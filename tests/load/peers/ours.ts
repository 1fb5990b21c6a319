import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { startAccountSubject } from '../account-subject.ts'
import { startChatSubject } from '../chat-subject.ts'
import { httpCaller } from './http.ts'
import type { Peer } from './peer.ts'

export const OURS = 'BigTech Chat'

const SENDERS = 20
const SEND_ROOM = 1
const STREAM_ROOM = 2
const FIRST_READER = 10_000

/** Starts chat-service with a room of 20 members for sends, and a room whose members open streams. */
export async function startChat(content: string, readers = 0): Promise<Peer> {
  const subject = await startChatSubject()
  const caller = httpCaller(subject.url)
  await subject.room(SEND_ROOM, SENDERS)
  if (readers > 0) await subject.room(STREAM_ROOM, readers, FIRST_READER)
  const tokens = (from: number, count: number) =>
    Promise.all(Array.from({ length: count }, (_, index) => subject.token(from + index)))
  const [senderTokens, readerTokens] = await Promise.all([tokens(1, SENDERS), tokens(FIRST_READER, readers)])
  const sendTo = (room: number, token: string, text: string) =>
    caller.call('POST', `/messages/${room}`, {
      headers: { authorization: `Bearer ${token}` },
      body: { content: text },
    })
  return {
    name: OURS,
    pid: subject.pid,
    send: (n) => sendTo(SEND_ROOM, senderTokens[n % SENDERS]!, content),
    streams: {
      port: Number(new URL(subject.url).port),
      opening: (index) =>
        `GET /stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${readerTokens[index % readers]}\r\n\r\n`,
      publish: (text) => sendTo(STREAM_ROOM, readerTokens[0]!, text),
    },
    stop: async () => {
      await caller.close()
      await subject.stop()
    },
  }
}

/** Starts user-service with one account, whose profile is read. */
export async function startAccounts(): Promise<Peer> {
  const subject = await startAccountSubject()
  const caller = httpCaller(subject.user)
  const account = { email: 'peers@example.com', username: 'peers', password: 'Load1234!@' }
  await caller.call('POST', '/auth/register', { body: account })
  const response = await fetch(`${subject.user}/auth/login/json`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: account.email, password: account.password }),
  })
  const { access_token } = (await response.json()) as { access_token: string }
  const headers = { authorization: `Bearer ${access_token}` }
  return {
    name: OURS,
    pid: subject.userPid,
    read: () => caller.call('GET', '/profile/me', { headers }),
    stop: async () => {
      await caller.close()
      await subject.stop()
    },
  }
}

/** Starts the framework of the services with a route that returns a constant. */
export async function startHello(): Promise<Peer> {
  const worker = new Worker(new URL('../hello-server.ts', import.meta.url))
  const [url] = (await once(worker, 'message')) as [string]
  const caller = httpCaller(url)
  return {
    name: 'Fastify, a constant',
    read: () => caller.call('GET', '/'),
    stop: async () => {
      await caller.close()
      await worker.terminate()
    },
  }
}
