import { claimPicture, defineRoute, listMessages } from '@bigtech/contracts'
import {
  type AuthenticatedContext,
  openServiceClient,
  type Service,
  type ServiceClient,
} from '@bigtech/service-kit'
import { z } from 'zod'
import type { NeighbourExports } from '../modules/export/export-parts.ts'
import type { ReportedMessages } from '../modules/moderation/moderation.service.ts'

/** How long a neighbour may say nothing. In all an export may take much longer. */
const EXPORT_TIMEOUT_MS = 8_000

/** The form is the neighbour's own business: it is passed on as it comes. */
const exportOf = <const Path extends string>(operationId: string, path: Path) =>
  defineRoute({
    operationId,
    method: 'GET',
    path,
    tag: 'export',
    summary: "A neighbour's part of a data export",
    success: { status: 200, description: 'Whatever it stores of the user.', schema: z.unknown() },
  })

const friendsExport = exportOf('exportMyFriends', '/friends/export')
const roomsExport = exportOf('exportMyRooms', '/rooms/export')
const notificationsExport = exportOf('exportMyNotifications', '/notifications/export')
const filesExport = exportOf('exportMyFiles', '/files/export')

export interface Neighbours {
  readonly exports: NeighbourExports
  readonly messages: ReportedMessages
  /**
   * Keeps an uploaded avatar of the caller for the profile.
   * @throws Problem FILE_NOT_FOUND, FILE_NOT_READY, FILE_KIND_MISMATCH; StoreUnavailable
   */
  claimAvatar(ctx: AuthenticatedContext, fileId: string): Promise<void>
}

/** The services that are asked for what they store, in the user's name. */
export function openNeighbours(
  service: Service,
  urls: {
    friendServiceUrl: string
    chatServiceUrl: string
    notificationServiceUrl: string
    mediaServiceUrl: string
  },
): Neighbours {
  const exportFrom = (
    name: string,
    baseUrl: string,
    contract: ReturnType<typeof exportOf>,
  ): NeighbourExports['friends'] => {
    const client = openServiceClient(service, { service: name, baseUrl, timeoutMs: EXPORT_TIMEOUT_MS })
    return (identity) => client.open(contract, {}, identity)
  }
  const pictures = openServiceClient(service, { service: 'media-service', baseUrl: urls.mediaServiceUrl })
  return {
    exports: {
      friends: exportFrom('friend-service', urls.friendServiceUrl, friendsExport),
      rooms: exportFrom('chat-service', urls.chatServiceUrl, roomsExport),
      notifications: exportFrom('notification-service', urls.notificationServiceUrl, notificationsExport),
      files: exportFrom('media-service', urls.mediaServiceUrl, filesExport),
    },
    claimAvatar: ({ requestId, bearer }, fileId) =>
      pictures.call(
        claimPicture,
        { params: { file_id: fileId }, body: { purpose: 'avatar' } },
        { requestId, bearer },
      ),
    messages: createReportedMessages(
      openServiceClient(service, { service: 'chat-service', baseUrl: urls.chatServiceUrl }),
    ),
  }
}

/** A message and about five before and after it. System lines and deleted messages are left out. */
const CONTEXT_SIZE = 11

function createReportedMessages(chat: ServiceClient): ReportedMessages {
  return {
    around: async ({ requestId, bearer }, messageId) => {
      const [roomId, seq] = messageId.split(':').map(Number)
      const { items } = await chat.call(
        listMessages,
        { params: { room_id: roomId }, query: { around_seq: seq, limit: CONTEXT_SIZE } },
        { requestId, bearer },
      )
      return items
        .filter(
          ({ is_deleted, deleted_for, system }) => !is_deleted && deleted_for === null && system === null,
        )
        .map(({ message_id, user_id, username, content, file, created_at }) => ({
          ...{ message_id, user_id, username, content, created_at },
          file_name: file?.name ?? null,
          reported: message_id === messageId,
        }))
    },
  }
}
