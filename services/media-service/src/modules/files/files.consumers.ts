import {
  fileIdOfPicture,
  messageDeleted,
  messageSent,
  roomCreated,
  roomDeleted,
  roomUpdated,
  userUpdated,
} from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import { applyOnce } from '@bigtech/outbox'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import type { FileUses } from './file-uses.repository.ts'

const CONSUMER = 'files'

export interface FilesConsumersDependencies {
  readonly mysql: Mysql
  readonly fileUses: FileUses
}

/** Returns the handlers that track the uses of files in messages, profiles and rooms. */
export function filesConsumers({ mysql, fileUses }: FilesConsumersDependencies): Subscription[] {
  const showInRoom = (tx: Tx, event: { room_id: number; image_url?: string | null | undefined }) =>
    fileUses.showInRoom(tx, event.room_id, fileIdOfPicture(event.image_url ?? ''))
  return [
    on(messageSent, async (event) => {
      const { file_id: fileId } = event
      if (fileId === undefined) return 'ignored'
      return applyOnce(mysql, CONSUMER, event, (tx) =>
        fileUses.addUse(tx, { fileId, messageId: event.message_id, roomId: event.room_id }),
      )
    }),
    on(messageDeleted, (event) =>
      applyOnce(mysql, CONSUMER, event, (tx) => fileUses.removeUses(tx, { messageId: event.message_id })),
    ),
    on(roomDeleted, (event) =>
      applyOnce(mysql, CONSUMER, event, (tx) => fileUses.removeUses(tx, { roomId: event.room_id })),
    ),
    on(roomCreated, async (event) => {
      if (!event.image_url) return 'ignored'
      return applyOnce(mysql, CONSUMER, event, (tx) => showInRoom(tx, event))
    }),
    on(roomUpdated, (event) => applyOnce(mysql, CONSUMER, event, (tx) => showInRoom(tx, event))),
    on(userUpdated, (event) =>
      applyOnce(mysql, CONSUMER, event, (tx) =>
        fileUses.showInProfile(tx, event.user_id, fileIdOfPicture(event.profile_image_url ?? '')),
      ),
    ),
  ]
}
