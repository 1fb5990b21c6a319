/** Number of decodings; no server in our stack decodes a path more often. */
const MAX_DECODINGS = 3

/**
 * Returns a loggable path: the route pattern replaces a path whose last part is a secret. Compares the
 * decoded, lower-case path with the literal segments of each pattern, so that `%6aoin`, `Join` or `//join` do
 * not bypass the mask; paths without a route are masked too. Linear in the length of the path.
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

/** The literal segments of each pattern: a few patterns, needed for every log line. */
const literals = new Map<string, readonly string[]>()

function literalsOf(pattern: string): readonly string[] {
  const known = literals.get(pattern)
  if (known) return known
  const segments = pattern.toLowerCase().split('/')
  const found = segments.filter((segment) => segment !== '' && !segment.startsWith(':'))
  literals.set(pattern, found)
  return found
}

/** Returns true when the literal segments of the pattern occur in order and are followed by another segment. */
function holdsSecretOf(plain: string, pattern: string): boolean {
  let end = 0
  for (const literal of literalsOf(pattern)) {
    const start = plain.indexOf(literal, end)
    if (start < 0) return false
    end = start + literal.length
  }
  return end < plain.length
}
