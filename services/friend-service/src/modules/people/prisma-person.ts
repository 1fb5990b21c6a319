import { Prisma } from '../../generated/prisma/client.ts'
import type { KnownPerson } from './people.repository.ts'

/** The columns of `people p` that describe a user, in a statement of another module that joins the table. */
export interface PersonColumns {
  readonly username: string | null
  readonly display_name: string | null
  readonly status_message: string | null
  readonly profile_image_url: string | null
  readonly version: bigint | null
  readonly deleted_at: Date | null
}
export const personColumns = Prisma.sql`p.username, p.display_name, p.status_message, p.profile_image_url, p.version, p.deleted_at`

/** Returns the person of a joined row; null when the row has none. */
export function toJoinedPerson(userId: number, row: PersonColumns): KnownPerson | null {
  const { username, display_name, status_message, profile_image_url, version, deleted_at } = row
  if (username === null || display_name === null) return null
  return {
    userId,
    username,
    displayName: display_name,
    statusMessage: status_message,
    profileImageUrl: profile_image_url,
    isFromEvent: Number(version) > 0 || deleted_at !== null,
  }
}
