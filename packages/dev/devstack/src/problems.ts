/** A failure the user can do something about: its message is one sentence that says what to do. */
export class UserError extends Error {
  override name = 'UserError'
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The text after which a rerun carries on, for failures that have nothing to do with our code. */
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
    'A download server cannot be reached: check the network or the proxy settings and run the same command again, it carries on where it stopped.',
  ],
]

/** A program that we ran failed; the message carries the end of its output. */
export class CommandError extends Error {
  override name = 'CommandError'
}

/** Turns any error into what is printed: one sentence, and below it the lines that say why. */
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
