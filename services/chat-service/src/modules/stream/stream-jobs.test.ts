import type { StreamFrameData } from '@bigtech/contracts'
import { expect, it } from 'vitest'
import { decodeCursor } from './stream-cursor.ts'
import { StreamHub } from './stream-hub.ts'
import { StreamJobs, type StreamJobsOptions } from './stream-jobs.ts'
import type { StreamOutput } from './stream-output.ts'
import { StreamSession } from './stream-session.ts'

const ROUNDS = 15
const SINCE = Date.now()

function openStream(hub: StreamHub, userId: number) {
  let text = ''
  const output: Partial<StreamOutput> = {
    push: (...parts: Buffer[]) => {
      text += parts.join('')
    },
  }
  const options = {
    id: `s${userId}`,
    userId,
    loginId: 'l',
    acknowledges: false,
    output: output as StreamOutput,
  }
  const session = new StreamSession({ ...options, onFrame: () => undefined, onClosed: () => undefined })
  hub.add(session)
  session.cursor.start(SINCE, { friends: userId, rooms: 0 })
  session.open({ event: 'ready', rooms: [] })
  session.goLive()
  text = ''
  return { session, text: () => text }
}

it('each stream gets one heartbeat in 15 rounds, with its own cursor and the heads of its active rooms', () => {
  const hub = new StreamHub({ perUser: 1, perProcess: 1_000 }, () => undefined)
  const jobs = new StreamJobs({ hub } as StreamJobsOptions)
  const streams = Array.from({ length: 300 }, (_, index) => openStream(hub, index + 1))
  for (const { session } of streams.slice(0, 100))
    session.cursor.set(session.userId, { seq: 5, cseq: 2, at: SINCE })
  const perRound: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
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
  expect(Math.max(...perRound), 'the rounds share the work').toBeLessThan(100)
})
