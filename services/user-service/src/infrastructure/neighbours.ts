import { claimPicture, defineRoute, listMessages } from '@bigtech/contracts'
import {
  type AuthenticatedContext,
  openServiceClient,
  type Service,
  type ServiceClient,
} from '@bigtech/service-kit'
import { z } from 'zod'
import type { ReportedMessages } from '../modules/moderation/moderation.service.ts'
import type { ExportPart } from '../modules/profile/profile.service.ts'

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
  friends(ctx: AuthenticatedContext): Promise<ExportPart>
  rooms(ctx: AuthenticatedContext): Promise<ExportPart>
  notifications(ctx: AuthenticatedContext): Promise<ExportPart>
  files(ctx: AuthenticatedContext): Promise<ExportPart>
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
  const client = (name: string, baseUrl: string) =>
    openServiceClient(service, { service: name, baseUrl, timeoutMs: EXPORT_TIMEOUT_MS })
  const ask = async (
    neighbour: ServiceClient,
    contract: ReturnType<typeof exportOf>,
    name: string,
    { requestId, bearer, log }: AuthenticatedContext,
  ): Promise<ExportPart> => {
    try {
      return { body: await neighbour.open(contract, {}, { requestId, bearer }) }
    } catch (err) {
      log.warn({ err, neighbour: name }, 'export without a part')
      return { missing: `${name} does not answer right now; ask again later.` }
    }
  }
  const friends = client('friend-service', urls.friendServiceUrl)
  const rooms = client('chat-service', urls.chatServiceUrl)
  const notifications = client('notification-service', urls.notificationServiceUrl)
  const files = client('media-service', urls.mediaServiceUrl)
  const pictures = openServiceClient(service, { service: 'media-service', baseUrl: urls.mediaServiceUrl })
  return {
    friends: (ctx) => ask(friends, friendsExport, 'friend-service', ctx),
    rooms: (ctx) => ask(rooms, roomsExport, 'chat-service', ctx),
    notifications: (ctx) => ask(notifications, notificationsExport, 'notification-service', ctx),
    files: (ctx) => ask(files, filesExport, 'media-service', ctx),
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
