/** What anybody signed in may see of a user. */
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

/** Where a search goes on: after this term of this user. */
export interface SearchPosition {
  readonly term: string
  readonly userId: number
}
