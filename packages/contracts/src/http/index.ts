export * from './analytics.ts'
export * from './define-route.ts'
export * from './document-notices.ts'
export * from './document-results.ts'
export {
  documentExample,
  documentStatus,
  documentType,
  type FailureEnvelope,
  failureEnvelope,
  type StoredDocument,
  storedDocument,
} from './document-shapes.ts'
export * from './documents.ts'
export * from './file-shapes.ts'
export * from './files.ts'
export * from './friend.ts'
export * from './friend-invites.ts'
export * from './friend-requests.ts'
export * from './friend-restrictions.ts'
export {
  blockedUser,
  type FriendRequest,
  friend,
  friendRequest,
  friendSuggestion,
  listedFriendRequest,
} from './friend-shapes.ts'
export * from './message-actions.ts'
export * from './message-excerpt.ts'
export {
  type Attachment,
  type Message,
  maxContentBytes,
  maxContentCharacters,
  maxReactionKinds,
  message,
  messageContent,
  messageExample,
  messageIdParam,
  reaction,
  replyPreview,
} from './message-shapes.ts'
export * from './messages.ts'
export * from './moderation.ts'
export * from './monitor.ts'
export * from './notification.ts'
export * from './paging.ts'
export * from './practice.ts'
export * from './practice-shapes.ts'
export * from './problem.ts'
export * from './problem-codes.ts'
export * from './read-state.ts'
export * from './recordings.ts'
export * from './room-members.ts'
export * from './room-settings.ts'
export * from './room-tools.ts'
export * from './rooms.ts'
export * from './stream.ts'
export * from './user.ts'
export * from './user-account.ts'
export * from './user-activity.ts'
export * from './user-auth.ts'
export * from './user-export.ts'
export * from './user-fields.ts'
export * from './user-google.ts'
export * from './user-profile.ts'
export * from './user-registration.ts'
export * from './user-second-factor.ts'
