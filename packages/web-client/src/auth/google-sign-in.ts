import { createGoogleNonce, listSignInProviders } from '@bigtech/client'
import { http } from '../core/api.ts'

/** Where Google sends people back to. */
export const GOOGLE_PATH = '/account/google'

const KEY = 'bigtech-chat.google'

/** What this tab remembers while it is at Google. */
interface Departure {
  readonly state: string
  /** Where to go on after signing in. */
  readonly path: string
}

export interface GoogleClient {
  readonly client_id: string
  readonly authorization_url: string
}

/** Undefined when this installation has no sign-in with Google. */
export async function findGoogleClient(): Promise<GoogleClient | undefined> {
  const { google } = await http.call(listSignInProviders, {})
  return google ?? undefined
}

/** Leaves the page for Google, which comes back to GOOGLE_PATH with an ID token in the fragment. */
export async function leaveForGoogle(client: GoogleClient): Promise<void> {
  const { nonce } = await http.call(createGoogleNonce, {})
  const departure: Departure = { state: crypto.randomUUID(), path: location.pathname + location.hash }
  sessionStorage.setItem(KEY, JSON.stringify(departure))
  const query = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: location.origin + GOOGLE_PATH,
    response_type: 'id_token',
    scope: 'openid email profile',
    nonce,
    state: departure.state,
  })
  location.assign(`${client.authorization_url}?${query}`)
}

/**
 * Reads what Google came back with, once: the token leaves the address and the history. Undefined when the user
 * cancelled, or when this tab did not ask for it (somebody else's sign-in behind a link).
 */
export function takeGoogleReturn(): { idToken: string; path: string } | undefined {
  const answer = new URLSearchParams(location.hash.slice(1))
  const kept = sessionStorage.getItem(KEY)
  sessionStorage.removeItem(KEY)
  history.replaceState(null, '', GOOGLE_PATH)
  const idToken = answer.get('id_token')
  const departure = kept === null ? undefined : (JSON.parse(kept) as Departure)
  if (!idToken || !departure || answer.get('state') !== departure.state) return undefined
  return { idToken, path: departure.path }
}
