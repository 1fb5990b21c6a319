/** Decodings after which no server that we run reads the path any further. */
const MAX_DECODINGS = 3

/**
 * Returns the path as a log may show it: the route pattern in place of a path whose last part is a secret. Compares the
 * decoded, lower-cased path with the literal segments of each pattern, so that `%6aoin`, `Join` or `//join` do not
 * get around the mask; a path that no route takes is masked too. Linear in the length of the path.
 */
export function maskSecretPath(path: string, patterns: readonly string[]): string {
  if (patterns.length === 0) return path
  const plain = plainForm(path)
  return patterns.find((pattern) => holdsSecretOf(plain, pattern)) ?? path
}

function plainForm(path: string): string {
  let plain = path
  for (let i = 0; i < MAX_DECODINGS && plain.includes('%'); i++) {
    plain = plain.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  }
  return plain.toLowerCase()
}

/** True when the literal segments of the pattern occur in order and something follows the last of them. */
function holdsSecretOf(plain: string, pattern: string): boolean {
  let end = 0
  for (const literal of pattern.split('/').filter((segment) => segment !== '' && !segment.startsWith(':'))) {
    const start = plain.indexOf(literal.toLowerCase(), end)
    if (start < 0) return false
    end = start + literal.length
  }
  return end < plain.length
}
