/** A failure that the user can resolve: its message is one sentence with the remedy. */
export class UserError extends Error {
  override name = 'UserError'
}

/** Returns the message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Known failures outside our code, after which a rerun continues. */
const known: ReadonlyArray<readonly [RegExp, string]> = [
  [
    /ENOSPC|no space left on device|disk is full/i,
    'The disk is full: free about 2 GB and run the same command again, it carries on where it stopped.',
  ],
  [
    /EROFS|read-only file system/i,
    'The folder is on a read-only file system: clone to a writable one, or set DEVSTACK_CACHE and DEVSTACK_DATA to writable folders.',
  ],
  [
    /EACCES|EPERM|permission denied|operation not permitted/i,
    'No permission: run as the owner of the checkout, or set DEVSTACK_CACHE and DEVSTACK_DATA to folders that you may write.',
  ],
  [
    /unable to locate package|failed to fetch|ENOTFOUND|EAI_AGAIN|ENETUNREACH|ETIMEDOUT|temporary failure resolving|could not resolve|unable to connect|connection (timed out|refused) .*http|dial tcp|could not transfer artifact|network is unreachable|could not connect to .*http/i,
    'A download server is unreachable: check the network or the proxy settings and run the same command again, it carries on where it stopped.',
  ],
]

/** A program failed; the message contains the end of its output. */
export class CommandError extends Error {
  override name = 'CommandError'
}

/** Converts any error to one sentence, with details below it. */
export function explain(error: unknown): { sentence: string; detail?: string } {
  if (error instanceof UserError) return { sentence: error.message }
  const text = messageOf(error)
  const match = known.find(([pattern]) => pattern.test(text))
  if (match) {
    const [pattern, sentence] = match
    const line = text.split('\n').find((candidate) => pattern.test(candidate))
    return { sentence, ...(line ? { detail: line.trim() } : {}) }
  }
  if (error instanceof CommandError) return { sentence: text }
  return { sentence: text, ...(error instanceof Error && error.stack ? { detail: error.stack } : {}) }
}
