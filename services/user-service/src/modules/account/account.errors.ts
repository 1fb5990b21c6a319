export type Taken = 'email' | 'username' | 'identity'

/** A unique index rejected the value, because another account was first. */
export class AlreadyTaken extends Error {
  override readonly name = 'AlreadyTaken'
  readonly what: Taken

  constructor(what: Taken) {
    super(`${what} is taken`)
    this.what = what
  }
}

/**
 * Returns the value rejected by a unique index, if any. MySQL 8 prefixes the index name with the table,
 * MariaDB does not.
 */
export function takenBy(err: unknown): AlreadyTaken | undefined {
  const { code, meta } = err as {
    code?: string
    meta?: { driverAdapterError?: { cause?: { constraint?: { index?: string } } } }
  }
  if (code !== 'P2002') return undefined
  const index = meta?.driverAdapterError?.cause?.constraint?.index ?? ''
  if (index.endsWith('users_email')) return new AlreadyTaken('email')
  if (/users_username_(key|skeleton)$/.test(index)) return new AlreadyTaken('username')
  return /PRIMARY$|user_identities/.test(index) ? new AlreadyTaken('identity') : undefined
}
