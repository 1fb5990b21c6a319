import { createGoogleNonce, listSignInProviders } from '@bigtech/client'
import { http } from '../core/api.ts'
import { GOOGLE_PATH } from './google-path.ts'

const KEY = 'bigtech-chat.google'

/** State kept in this tab during the redirect to Google. */
interface Departure {
  readonly state: string
  /** The path to open after signing in. */
  readonly path: string
}

export interface GoogleClient {
  readonly client_id: string
  readonly authorization_url: string
}

/** Returns the OAuth client; undefined when sign-in with Google is not configured. */
export async function findGoogleClient(): Promise<GoogleClient | undefined> {
  const { google } = await http.call(listSignInProviders, {})
  return google ?? undefined
}

/** Redirects to Google, which returns to GOOGLE_PATH with an ID token in the fragment. */
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
 * Reads Google's response once and removes the token from the address and the history. Undefined when the
 * user cancelled, or when this tab did not start the sign-in (a forged link).
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
