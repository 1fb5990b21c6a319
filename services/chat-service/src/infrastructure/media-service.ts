import { claimFile, claimPicture } from '@bigtech/contracts'
import { openServiceClient, type Service } from '@bigtech/service-kit'
import type { MessageFiles } from '../modules/messages/sending.service.ts'
import type { RoomPictures } from '../modules/rooms/room-picture.ts'

/** Opens the client of media-service, called on behalf of the user. During its outage text messages work; messages with files get 503. */
export function openMediaService(service: Service, baseUrl: string): MessageFiles & RoomPictures {
  const client = openServiceClient(service, { service: 'media-service', baseUrl })
  return {
    claim: (ctx, fileId, messageType) =>
      client.call(
        claimFile,
        { params: { file_id: fileId }, body: { message_type: messageType as 'file' } },
        ctx,
      ),
    claimPicture: (ctx, fileId) =>
      client.call(claimPicture, { params: { file_id: fileId }, body: { purpose: 'room_picture' } }, ctx),
  }
}
