/** The part of a user that any signed-in user may see. */
export interface PublicUser {
  readonly userId: number
  readonly username: string
  readonly displayName: string
  readonly statusMessage: string | null
  readonly profileImageUrl: string | null
}

/** A user found by one of their search terms. */
export interface SearchRow extends PublicUser {
  readonly term: string
}

/** The position of a search: after this term of this user. */
export interface SearchPosition {
  readonly term: string
  readonly userId: number
}
