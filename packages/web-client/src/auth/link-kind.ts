export type LinkKind = 'verify' | 'undo' | 'reset' | 'report' | 'export'

const kinds: Readonly<Record<string, LinkKind>> = {
  '/account/email/confirm': 'verify',
  '/account/email/undo': 'undo',
  '/account/password/reset': 'reset',
  '/account/sessions/report': 'report',
  '/account/export': 'export',
}

/** Returns the kind of a mail link by its path; undefined on every other page. */
export function linkKindOf(path: string): LinkKind | undefined {
  return kinds[path]
}

/** Returns the token in the fragment of the address. */
export function linkToken(): string {
  return new URLSearchParams(location.hash.slice(1)).get('token') ?? ''
}
