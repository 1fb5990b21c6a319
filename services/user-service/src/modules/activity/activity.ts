import type { ActivityType } from '@bigtech/contracts'

/** An activity of an account, for its owner to read. */
export interface Activity {
  readonly id: number
  readonly type: ActivityType
  readonly data: Readonly<Record<string, unknown>>
  readonly device: string | null
  readonly ipPrefix: string | null
  readonly createdAt: Date
}

/** Descriptions of the types, for clients that do not know them. */
export const descriptions: Readonly<Record<ActivityType, string>> = {
  signed_in: 'Signed in',
  sessions_ended: 'Sessions ended',
  password_changed: 'Password changed',
  password_reset: 'Password set with a link sent by mail',
  email_verified: 'Email address verified',
  email_changed: 'Email address changed',
  email_change_undone: 'Change of the email address undone',
  username_changed: 'Username changed',
  profile_updated: 'Profile changed',
  totp_enabled: 'Authenticator app turned on',
  totp_disabled: 'Authenticator app turned off',
  passkey_added: 'Passkey added',
  passkey_removed: 'Passkey removed',
  export_requested: 'Data export requested',
  export_downloaded: 'Data export downloaded',
  deletion_requested: 'Deletion of the account requested',
  deletion_cancelled: 'Deletion of the account cancelled',
  friend_added: 'New friend',
  room_created: 'Room created',
}
