import { roomCreated, roomMembersChanged } from '@bigtech/contracts'
import type { EventContext } from '@bigtech/kafka'
import { expect, it } from 'vitest'
import { membershipHandlers } from './membership.consumers.ts'

it('a membership is invalidated by every event since startup and by none from before, regardless of timestamps', async () => {
  const told: number[] = []
  const handlers = membershipHandlers({
    membersChanged: async (roomId) => void told.push(roomId),
    settingsChanged: () => {},
    rulesChanged: async () => {},
  })
  const tell = async (roomId: number, beforeStart: boolean) => {
    // Published by a process whose clock is off by an hour.
    const timestamp = new Date(Date.now() + (beforeStart ? 3_600_000 : -3_600_000))
    const meta = { correlationId: 'test', timestamp }
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
      if (event) await handle(event, { beforeStart } as EventContext)
    }
  }
  await tell(1, true)
  expect(told).toEqual([])
  await tell(2, false)
  expect(told).toEqual([2, 2])
})
