import { messageDeleted, messageSent, roomDeleted, userUpdated } from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import { applyOnce } from '@bigtech/outbox'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { FileRepository } from './file.repository.ts'

const CONSUMER = 'files'
/** As `GET /pictures/{file_id}` is reached through the gateway. */
const OWN_PICTURE = /^\/api\/pictures\/([0-9a-f-]{36})$/

export interface FilesConsumersDependencies {
  readonly mysql: Mysql
  readonly files: FileRepository
}

/** Files live as long as a message or a profile shows them. */
export function filesConsumers({ mysql, files }: FilesConsumersDependencies): Subscription[] {
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
    on(userUpdated, (event) =>
      applyOnce(mysql, CONSUMER, event, (tx) =>
        files.showInProfile(tx, event.user_id, ownPictureOf(event.profile_image_url)),
      ),
    ),
  ]
}

/** The file behind a picture of ours, whatever the host in front of the gateway is called. */
function ownPictureOf(address: string | null): string | null {
  if (address === null || !URL.canParse(address, 'http://gateway')) return null
  return OWN_PICTURE.exec(new URL(address, 'http://gateway').pathname)?.[1] ?? null
}
