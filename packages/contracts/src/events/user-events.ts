import { z } from 'zod'
import { sessionId, timestamp, userId } from '../ids.ts'
import { defineEvent } from './define-event.ts'

const byUser = (event: { user_id: number }) => String(event.user_id)

/**
 * The version of the user's row. Every published change increments it, so consumers order profiles by
 * version and never by time stamp. Missing on events of older publishers.
 */
const profileVersion = { profile_version: z.int().positive().optional() }

/** Why sessions ended. */
export const revocationReason = z.enum([
  'logout',
  'logout_all',
  'revoked',
  'password_changed',
  'token_reuse',
  'email_change_undone',
  'account_deleted',
])

/** A user signed up. Triggers the welcome mail and the local copies of the name in other services. */
export const userRegistered = defineEvent({
  type: 'UserRegistered',
  version: 1,
  topic: 'user.events',
  key: byUser,
  payload: z.object({
    user_id: userId,
    email: z.string(),
    username: z.string(),
    display_name: z.string(),
    locale: z.string().optional(),
    ...profileVersion,
  }),
})

/** The public part of a profile changed; carries the complete current profile. */
export const userUpdated = defineEvent({
  type: 'UserUpdated',
  version: 1,
  topic: 'user.events',
  key: byUser,
  payload: z.object({
    user_id: userId,
    username: z.string(),
    display_name: z.string(),
    status_message: z.string().nullable(),
    profile_image_url: z.string().nullable(),
    /** Present when the address changed; for services that store the address (mail). */
    email: z.string().optional(),
    locale: z.string().optional(),
    ...profileVersion,
  }),
})

/** The kinds of account mails. */
export const accountMailPurpose = z.enum([
  'verify_email',
  'change_email',
  'undo_email',
  'reset_password',
  /** Sent after a sign-in from a new device; its link ends that session. */
  'end_session',
  /** A data export is ready: the link downloads it. */
  'download_export',
])

/**
 * A mail with a one-time link is due. Carries neither the address nor the link's token: notification-service
 * fetches both from user-service when it sends the mail, so neither is stored in Kafka.
 */
export const accountMailRequested = defineEvent({
  type: 'AccountMailRequested',
  version: 1,
  topic: 'user.events',
  key: byUser,
  payload: z.object({ user_id: userId, link_id: z.uuid(), purpose: accountMailPurpose }),
})

export const userLoggedIn = defineEvent({
  type: 'UserLoggedIn',
  version: 1,
  topic: 'user.events',
  key: byUser,
  payload: z.object({ user_id: userId, session_id: sessionId }),
})

/** Tokens of these sessions must be refused and their streams closed within 2 s by every service. */
export const userSessionRevoked = defineEvent({
  type: 'UserSessionRevoked',
  version: 1,
  topic: 'user.events',
  key: byUser,
  payload: z.object({
    user_id: userId,
    session_ids: z.array(sessionId).min(1),
    reason: revocationReason,
  }),
})

/** `lift` ends mute and suspension. */
export const moderationAction = z.enum(['dismiss', 'warn', 'mute', 'suspend', 'lift'])

/**
 * A moderator's mute or suspension, or its lifting: the state now in force. UserSessionRevoked announces
 * ended sessions.
 */
export const userModerated = defineEvent({
  type: 'UserModerated',
  version: 1,
  topic: 'user.events',
  key: byUser,
  payload: z.object({
    user_id: userId,
    /** Every decision about the user increments it; an event with a lower version is stale. */
    decision_id: z.int().positive(),
    /** The user may not send anything until then. Null: not muted; the year 9999: muted until lifted. */
    muted_until: timestamp.nullable(),
    suspended_until: timestamp.nullable(),
  }),
})

/** An account is being deleted: every service erases or anonymises its data of this user. */
export const userDeleted = defineEvent({
  type: 'UserDeleted',
  version: 1,
  topic: 'user.events',
  key: byUser,
  payload: z.object({
    user_id: userId,
    deletion_id: z.uuid(),
    /** `keep`: messages stay, attributed to an unknown user; `remove`: their content is erased. */
    message_policy: z.enum(['keep', 'remove']),
  }),
})

export const presenceVisibility = z.enum(['everyone', 'friends', 'nobody'])

/** Published on a real change only: debounced and merged over a user's devices. */
export const onlineStatusChanged = defineEvent({
  type: 'OnlineStatusChanged',
  version: 1,
  topic: 'user.online_status',
  key: byUser,
  payload: z.object({
    user_id: userId,
    online: z.boolean(),
    last_seen_at: timestamp,
    /** The users allowed to see it. */
    visibility: presenceVisibility,
  }),
})
