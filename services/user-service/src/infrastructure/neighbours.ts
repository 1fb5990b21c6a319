import {
  claimPicture,
  defineRoute,
  getFile,
  getStorageUsage,
  listMessages,
  putNotificationPreferences,
  type StorageUsage,
  uploadFile,
} from '@bigtech/contracts'
import {
  type AuthenticatedContext,
  type CallIdentity,
  openServiceClient,
  type Service,
  type ServiceClient,
} from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { NeighbourExports } from '../modules/export/export-parts.ts'
import type { ReportedMessages } from '../modules/moderation/moderation.service.ts'
import type { RegistrationNeighbours } from '../modules/registration/registration.ts'

/** Maximum silence of a neighbor service. The complete export may take much longer. */
const EXPORT_TIMEOUT_MS = 8_000
/** Nobody waits longer for figures that stand beside a profile. */
const STORAGE_TIMEOUT_MS = 500
/** Every start of an app reads its user's profile: the figures may be this old. */
const STORAGE_CACHED_MS = 30_000
const STORAGE_CACHED_USERS = 10_000
const UPLOAD_TIMEOUT_MS = 8_000
/** Shorter than a lease of a registration, and than a graceful stop. */
const EXAMINATION_WAIT_SECONDS = 3

/** The format belongs to the neighbor service and is passed through unchanged. */
const exportOf = <const Path extends string>(operationId: string, path: Path) =>
  defineRoute({
    operationId,
    method: 'GET',
    path,
    tag: 'export',
    summary: "A neighbor service's part of a data export",
    success: { status: 200, description: 'The data it stores about the user.', schema: z.unknown() },
  })

const friendsExport = exportOf('exportMyFriends', '/friends/export')
const roomsExport = exportOf('exportMyRooms', '/rooms/export')
const notificationsExport = exportOf('exportMyNotifications', '/notifications/export')
const filesExport = exportOf('exportMyFiles', '/files/export')

export interface Neighbours {
  readonly exports: NeighbourExports
  readonly messages: ReportedMessages
  readonly registrations: RegistrationNeighbours
  /**
   * Reserves an uploaded avatar of the caller for the profile.
   * @throws Problem FILE_NOT_FOUND, FILE_NOT_READY, FILE_KIND_MISMATCH; StoreUnavailable
   */
  claimAvatar(identity: CallIdentity, fileId: string): Promise<void>
  /** Returns how much the caller stores, at most 30 s old; null while media-service does not respond. */
  storage(ctx: AuthenticatedContext): Promise<StorageUsage | null>
}

/** Opens clients of the services, which are called on behalf of the user. */
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
  const storage = openServiceClient(service, {
    service: 'media-service',
    baseUrl: urls.mediaServiceUrl,
    timeoutMs: STORAGE_TIMEOUT_MS,
  })
  const usages = new LRUCache<number, StorageUsage, AuthenticatedContext>({
    max: STORAGE_CACHED_USERS,
    ttl: STORAGE_CACHED_MS,
    fetchMethod: (_userId, _stale, { context: { requestId, bearer } }) =>
      storage.call(getStorageUsage, {}, { requestId, bearer }),
  })
  const claimAvatar: Neighbours['claimAvatar'] = (identity, fileId) =>
    pictures.call(claimPicture, { params: { file_id: fileId }, body: { purpose: 'avatar' } }, identity)
  return {
    exports: {
      friends: exportFrom('friend-service', urls.friendServiceUrl, friendsExport),
      rooms: exportFrom('chat-service', urls.chatServiceUrl, roomsExport),
      notifications: exportFrom('notification-service', urls.notificationServiceUrl, notificationsExport),
      files: exportFrom('media-service', urls.mediaServiceUrl, filesExport),
    },
    claimAvatar,
    registrations: { claim: claimAvatar, ...openRegistrationSteps(service, urls) },
    storage: async (ctx) => {
      try {
        return (await usages.fetch(ctx.actor.userId, { context: ctx })) ?? null
      } catch (err) {
        ctx.log.debug({ err }, 'profile without storage usage')
        return null
      }
    },
    messages: createReportedMessages(
      openServiceClient(service, { service: 'chat-service', baseUrl: urls.chatServiceUrl }),
    ),
  }
}

/** The calls of a registration that the rest of the service does not make. */
function openRegistrationSteps(
  service: Service,
  urls: { notificationServiceUrl: string; mediaServiceUrl: string },
): Omit<RegistrationNeighbours, 'claim'> {
  const media = openServiceClient(service, {
    service: 'media-service',
    baseUrl: urls.mediaServiceUrl,
    timeoutMs: UPLOAD_TIMEOUT_MS,
  })
  const notifications = openServiceClient(service, {
    service: 'notification-service',
    baseUrl: urls.notificationServiceUrl,
  })
  return {
    upload: async (identity, { mime, bytes }) => {
      const name = `picture.${mime.slice('image/'.length)}`
      const file = { fields: { purpose: 'avatar' }, name, mime, bytes }
      return (await media.upload(uploadFile, file, identity)).file_id
    },
    file: async (identity, fileId) => {
      const input = { params: { file_id: fileId }, query: { wait_seconds: EXAMINATION_WAIT_SECONDS } }
      const { state, refusal } = await media.call(getFile, input, identity)
      return { isReady: state === 'ready', refusal: refusal?.detail ?? null }
    },
    savePreferences: async (identity, preferences) => {
      await notifications.call(putNotificationPreferences, { body: preferences }, identity)
    },
  }
}

/** A message with about five messages before and after it. System messages and deleted messages are omitted. */
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
