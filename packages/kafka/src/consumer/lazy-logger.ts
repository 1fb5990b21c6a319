import type { Logger } from 'pino'

/**
 * Returns a function that creates a child logger at its first call. Most events log nothing, and redacting the fields of a
 * child logger costs more than 20 us.
 */
export function lazyLogger(parent: Logger, fields: Readonly<Record<string, unknown>>): () => Logger {
  let child: Logger | undefined
  return () => {
    child ??= parent.child(fields)
    return child
  }
}
