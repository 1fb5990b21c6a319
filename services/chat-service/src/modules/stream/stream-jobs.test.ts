import type { StreamFrameData } from '@bigtech/contracts'
import { expect, it } from 'vitest'
import { recordedSession } from '../../../testing/stream-session.ts'
import { decodeCursor } from './stream-cursor.ts'
import { StreamHub } from './stream-hub.ts'
import { StreamJobs, type StreamJobsOptions } from './stream-jobs.ts'
import { MARGIN_MS } from './stream-resume.ts'
import type { LastSweep } from './stream-session.ts'

const ROUNDS = 15
const SINCE = Date.now() - 60_000

function openStreams(count: number) {
  const hub = new StreamHub({ perUser: 1, perProcess: 1_000 }, () => undefined)
  const lastSweep: LastSweep = { startedAt: 0, verifiedBefore: 0 }
  const channels = { closeIdle: () => undefined, verifyAll: async () => undefined }
  const jobs = new StreamJobs({ hub, lastSweep, channels } as unknown as StreamJobsOptions)
  const streams = Array.from({ length: count }, (_, index) => {
    const stream = recordedSession({ userId: index + 1, host: { lastSweep } })
    const { session } = stream
    hub.add(session)
    session.cursor.start(SINCE, { friends: session.userId, rooms: 0 })
    session.open({ event: 'ready', rooms: [] })
    session.goLive()
    const opening = stream.text().length
    return { session, text: () => stream.text().slice(opening) }
  })
  return { hub, jobs, streams }
}

const sinceOf = (block: string) => decodeCursor(block.slice('id: '.length, block.indexOf('\n')))!.since

it('each stream gets one heartbeat in 15 rounds, with its own cursor and the heads of its active rooms', () => {
  const { jobs, streams } = openStreams(300)
  for (const { session } of streams.slice(0, 100))
    session.cursor.set(session.userId, { seq: 5, cseq: 2, at: SINCE })
  const perRound: number[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    const before = streams.filter(({ text }) => text() !== '').length
    jobs.heartbeat()
    perRound.push(streams.filter(({ text }) => text() !== '').length - before)
  }
  for (const { session, text } of streams) {
    const [id, event, data, ...rest] = text().split('\n')
    const { userId } = session
    const rooms = new Map(userId <= 100 ? [[userId, { seq: 5, cseq: 2 }]] : [])
    expect(decodeCursor(id!.slice('id: '.length))).toMatchObject({
      lists: { friends: userId },
      since: SINCE,
      rooms,
    })
    expect(event).toBe('event: heartbeat')
    const { heads } = JSON.parse(data!.slice('data: '.length)) as StreamFrameData<'heartbeat'>
    expect(heads).toEqual([...rooms].map(([room_id, position]) => ({ room_id, ...position })))
    expect(rest, 'one heartbeat').toEqual(['', ''])
  }
  expect(Math.max(...perRound), 'the rounds share the work').toBeLessThan(60)
})

it('a closed stream gets no heartbeat, and is not kept by the rounds', () => {
  const { hub, jobs, streams } = openStreams(2)
  hub.remove(streams[0]!.session)
  let visited = 0
  for (let round = 1; round <= ROUNDS; round++) visited += hub.rounds.next().size
  for (let round = 1; round <= ROUNDS; round++) jobs.heartbeat()
  expect(visited).toBe(1)
  expect(streams.map(({ text }) => text() !== '')).toEqual([false, true])
})

it('a stream that is catching up gets heartbeats, so that its client can acknowledge, but none before its first frame', () => {
  const { hub, jobs } = openStreams(0)
  const [opening, catchingUp] = [recordedSession({ userId: 1 }), recordedSession({ userId: 2 })]
  for (const { session } of [opening, catchingUp]) hub.add(session)
  catchingUp.session.cursor.start(SINCE, { friends: 0, rooms: 0 })
  catchingUp.session.open({ event: 'ready', rooms: [] })
  for (let round = 1; round <= ROUNDS; round++) jobs.heartbeat()
  expect(catchingUp.text()).toContain('event: heartbeat')
  expect(opening.text()).toBe('')
})

it('after a sweep the next frame of a stream that was live before it starts 30 s before the sweep, and lists no room that was quiet since', async () => {
  const { hub, jobs, streams } = openStreams(1)
  const [live] = streams
  live!.session.cursor.set(5, { seq: 1, cseq: 0, at: SINCE })
  const soon = Date.now() + 1
  while (Date.now() <= soon);
  const startedAt = Date.now()
  await jobs.sweep()
  const later = recordedSession({ userId: 2, host: { lastSweep: { startedAt, verifiedBefore: startedAt } } })
  hub.add(later.session)
  later.session.cursor.start(SINCE, { friends: 0, rooms: 0 })
  later.session.open({ event: 'ready', rooms: [] })
  live!.session.sendHeartbeat('', Buffer.from('event: heartbeat\n\n'))
  expect(live!.text()).toContain('event: heartbeat\n\n')
  expect(sinceOf(live!.text())).toBeGreaterThanOrEqual(startedAt - MARGIN_MS)
  expect(live!.session.cursor.heads).toEqual([])
  expect(sinceOf(later.text()), 'it was not live').toBe(SINCE)
})
