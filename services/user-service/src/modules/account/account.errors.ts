/** The unique index of the database has spoken: another account was first. */
export class AlreadyTaken extends Error {
  override readonly name = 'AlreadyTaken'
  readonly what: 'email' | 'username'

  constructor(what: 'email' | 'username') {
    super(`${what} is taken`)
    this.what = what
  }
}
