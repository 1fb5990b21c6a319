export type LinkKind = 'verify' | 'undo' | 'reset' | 'report' | 'export'

const kinds: Readonly<Record<string, LinkKind>> = {
  '/account/email/confirm': 'verify',
  '/account/email/undo': 'undo',
  '/account/password/reset': 'reset',
  '/account/sessions/report': 'report',
  '/account/export': 'export',
}

/** What the link in a mail is for, by its path; undefined on every other page. */
export function linkKindOf(path: string): LinkKind | undefined {
  return kinds[path]
}

/** The token in the fragment of the address. */
export function linkToken(): string {
  return new URLSearchParams(location.hash.slice(1)).get('token') ?? ''
}
