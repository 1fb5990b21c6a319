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
import type { FileRepository } from './file.repository.ts'

const CONSUMER = 'files'

export interface FilesConsumersDependencies {
  readonly mysql: Mysql
  readonly files: FileRepository
}

/** Returns the handlers that track the uses of files in messages, profiles and rooms. */
export function filesConsumers({ mysql, files }: FilesConsumersDependencies): Subscription[] {
  const showInRoom = (tx: Tx, event: { room_id: number; image_url?: string | null | undefined }) =>
    files.showInRoom(tx, event.room_id, fileIdOfPicture(event.image_url ?? ''))
  return [
    on(messageSent, async (event) => {
      const { file_id: fileId } = event
      if (fileId === undefined) return 'ignored'
      return applyOnce(mysql, CONSUMER, event, (tx) =>
        files.addUse(tx, { fileId, messageId: event.message_id, roomId: event.room_id }),
      )
    }),
    on(messageDeleted, (event) =>
      applyOnce(mysql, CONSUMER, event, (tx) => files.removeUses(tx, { messageId: event.message_id })),
    ),
    on(roomDeleted, (event) =>
      applyOnce(mysql, CONSUMER, event, (tx) => files.removeUses(tx, { roomId: event.room_id })),
    ),
    on(roomCreated, async (event) => {
      if (!event.image_url) return 'ignored'
      return applyOnce(mysql, CONSUMER, event, (tx) => showInRoom(tx, event))
    }),
    on(roomUpdated, (event) => applyOnce(mysql, CONSUMER, event, (tx) => showInRoom(tx, event))),
    on(userUpdated, (event) =>
      applyOnce(mysql, CONSUMER, event, (tx) =>
        files.showInProfile(tx, event.user_id, fileIdOfPicture(event.profile_image_url ?? '')),
      ),
    ),
  ]
}
