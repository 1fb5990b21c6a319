import { roomCreated, roomMembersChanged } from '@bigtech/contracts'
import type { EventContext } from '@bigtech/kafka'
import { expect, it } from 'vitest'
import { liveRoomHandlers } from './rooms.consumers.ts'

const MINUTE_MS = 60_000

it('a process that starts looks up no change of members from before it, and every one since', async () => {
  const startedAt = Date.now()
  const told: number[] = []
  const handlers = liveRoomHandlers(
    { membersChanged: async (roomId) => void told.push(roomId), settingsChanged: () => {} },
    startedAt,
  )
  const tell = async (roomId: number, agoMs: number) => {
    const meta = { correlationId: 'test', timestamp: new Date(startedAt - agoMs) }
    const created = roomCreated.create(
      { room_id: roomId, room_type: 'group', name: null, created_by: 1, member_ids: [1, 2] },
      meta,
    )
    const left = roomMembersChanged.create(
      { room_id: roomId, added: [], removed: [2], changed_by: 2, reason: 'left' },
      meta,
    )
    for (const { definition, handle } of handlers) {
      const event = [created, left].find(({ event_type }) => event_type === definition.type)
      if (event) await handle(event, {} as EventContext)
    }
  }
  await tell(1, 9 * MINUTE_MS)
  expect(told).toEqual([])
  // The clock of the process that wrote it may be behind.
  await tell(2, MINUTE_MS / 2)
  await tell(3, -MINUTE_MS)
  expect(told).toEqual([2, 2, 3, 3])
})
