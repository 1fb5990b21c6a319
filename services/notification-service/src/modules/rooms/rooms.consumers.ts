import {
  roomCreated,
  roomDeleted,
  roomMembersChanged,
  roomMuteChanged,
  roomUpdated,
} from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import { applyOnce } from '@bigtech/outbox'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { RoomsRepository } from './rooms.repository.ts'

const CONSUMER = 'rooms'

/**
 * Returns the handlers that maintain the local copy of rooms. The events of a room are ordered, because the
 * room id is their key.
 */
export function roomsConsumers(mysql: Mysql, rooms: RoomsRepository): Subscription[] {
  return [
    on(roomCreated, (event) =>
      applyOnce(mysql, CONSUMER, event, async (tx) => {
        await rooms.put(tx, { roomId: event.room_id, roomType: event.room_type, name: event.name })
        await rooms.addMembers(tx, event.room_id, event.member_ids)
      }),
    ),
    on(roomMembersChanged, (event) =>
      applyOnce(mysql, CONSUMER, event, async (tx) => {
        await rooms.removeMembers(tx, event.room_id, event.removed)
        await rooms.addMembers(tx, event.room_id, event.added)
      }),
    ),
    on(roomUpdated, (event) =>
      applyOnce(mysql, CONSUMER, event, (tx) => rooms.rename(tx, event.room_id, event.name)),
    ),
    on(roomDeleted, (event) => applyOnce(mysql, CONSUMER, event, (tx) => rooms.remove(tx, event.room_id))),
    on(roomMuteChanged, (event) =>
      applyOnce(mysql, CONSUMER, event, (tx) => {
        const until = event.muted_until ? new Date(event.muted_until) : null
        return rooms.mute(tx, event.room_id, event.user_id, event.muted, until)
      }),
    ),
  ]
}
