/** Characters whose percent-encoding changes their meaning, so it is kept. */
const RESERVED = new Set("!*'();:@&=+$,/?%#[]")
/** Characters allowed unencoded in a path; all other bytes are encoded on the way out. */
const PLAIN = /[^!#$&'()*+,/:;=?@[\]A-Za-z0-9\-_.~%]/g

/**
 * Returns the path in the form used for matching, like Kong: decodes unreserved characters, merges `//`,
 * resolves `.` and `..`. One character of the result is one byte.
 */
export function normalizePath(path: string): string {
  const decoded = path.replace(/%([0-9A-Fa-f]{2})/g, (encoded, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return RESERVED.has(character) ? encoded.toUpperCase() : character
  })
  const segments: string[] = []
  const parts = decoded.split('/').slice(1)
  parts.forEach((part, index) => {
    const last = index === parts.length - 1
    if (part === '..') segments.pop()
    else if (part !== '.' && part !== '') segments.push(part)
    // A path that ends in `/`, `/.` or `/..` names a directory and keeps its slash.
    if (last && (part === '' || part === '.' || part === '..')) segments.push('')
  })
  return `/${segments.join('/')}`
}

/** Returns a normalized path encoded for a request line. */
export function escapePath(path: string): string {
  return path.replace(PLAIN, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}
