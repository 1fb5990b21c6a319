import { claimFile, claimPicture } from '@bigtech/contracts'
import { openServiceClient, type Service } from '@bigtech/service-kit'
import type { MessageFiles } from '../modules/messages/message.service.ts'
import type { RoomPictures } from '../modules/rooms/room-picture.ts'

/** Asks media-service in the caller's name. During its outage text goes on; messages with files get 503. */
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
