import { z } from 'zod'
import { sessionId, timestamp, userId } from '../ids.ts'
import { defineEvent } from './define-event.ts'

const byUser = (event: { user_id: number }) => String(event.user_id)

/**
 * The version of the user's row: rises with every published change, so consumers order profiles by it
 * and never by time stamps. Missing on events of older publishers.
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

/** Somebody signed up. Starts the welcome mail and the neighbours' local copies of the name. */
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

/** The public part of a profile changed: all of it, as it is now. */
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
    /** Present when the address changed, for those who keep it (mail). */
    email: z.string().optional(),
    locale: z.string().optional(),
    ...profileVersion,
  }),
})

/** What a mail about an account is for. */
export const accountMailPurpose = z.enum([
  'verify_email',
  'change_email',
  'undo_email',
  'reset_password',
  /** After a sign-in from a new device: the link ends its session. */
  'end_session',
  /** A data export is ready: the link downloads it. */
  'download_export',
])

/**
 * A mail with a one-time link is to be sent. It says neither the address nor the link's token: whoever sends the mail
 * asks user-service for both at that moment, so that neither is ever stored on the way.
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

/** Tokens of these sessions must be refused and their streams closed, within 2 s everywhere. */
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

/** A moderator muted or suspended a user, or lifted it: what holds now. Ended sessions are told by UserSessionRevoked. */
export const userModerated = defineEvent({
  type: 'UserModerated',
  version: 1,
  topic: 'user.events',
  key: byUser,
  payload: z.object({
    user_id: userId,
    /** Rises with every decision about the user: an event with a lower one is old. */
    decision_id: z.int().positive(),
    /** Until then the user may send nothing. Null: not muted; the year 9999: until it is lifted. */
    muted_until: timestamp.nullable(),
    suspended_until: timestamp.nullable(),
  }),
})

/** The account is being deleted: every service removes or anonymises what it holds of this user. */
export const userDeleted = defineEvent({
  type: 'UserDeleted',
  version: 1,
  topic: 'user.events',
  key: byUser,
  payload: z.object({
    user_id: userId,
    deletion_id: z.uuid(),
    /** `keep`: messages stay as from an unknown user; `remove`: their content goes too. */
    message_policy: z.enum(['keep', 'remove']),
  }),
})

export const presenceVisibility = z.enum(['everyone', 'friends', 'nobody'])

/** Published on a real change only: debounced, and merged over a user's devices. */
export const onlineStatusChanged = defineEvent({
  type: 'OnlineStatusChanged',
  version: 1,
  topic: 'user.online_status',
  key: byUser,
  payload: z.object({
    user_id: userId,
    online: z.boolean(),
    last_seen_at: timestamp,
    /** Who may be shown it. */
    visibility: presenceVisibility,
  }),
})
