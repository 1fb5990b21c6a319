/** Characters whose percent-encoding means something else than themselves, so it stays. */
const RESERVED = new Set("!*'();:@&=+$,/?%#[]")
/** What may stand in a path as it is; every other byte is encoded again on the way out. */
const PLAIN = /[^!#$&'()*+,/:;=?@[\]A-Za-z0-9\-_.~%]/g

/**
 * A path in the form that routes are matched on, the way Kong does it: percent-encodings of unreserved characters
 * decoded, `//` merged, `.` and `..` resolved. One character of the answer is one byte.
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
    // A path that ends in `/`, `/.` or `/..` names a folder and keeps its slash.
    if (last && (part === '' || part === '.' || part === '..')) segments.push('')
  })
  return `/${segments.join('/')}`
}

/** A normalised path as it is written into a request line. */
export function escapePath(path: string): string {
  return path.replace(PLAIN, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}
