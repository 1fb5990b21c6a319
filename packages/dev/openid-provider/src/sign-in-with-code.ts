import { createHash, randomBytes } from 'node:crypto'
import { CLIENT_ID, CLIENT_SECRET, type OpenIdProvider } from './provider.ts'

const MAX_PAGES = 12

/**
 * Signs in like a browser by the authorization code flow with PKCE. Returns the ID token.
 * @param request.login the address to sign in with; a provider remembers its subject
 */
export async function signInWithCode(
  { issuer }: Pick<OpenIdProvider, 'issuer'>,
  request: { readonly login: string; readonly nonce: string; readonly redirectUri: string },
): Promise<string> {
  const { login, nonce, redirectUri } = request
  const verifier = randomBytes(32).toString('base64url')
  const query = new URLSearchParams({
    client_id: CLIENT_ID,
    response_type: 'code',
    scope: 'openid email profile',
    redirect_uri: redirectUri,
    nonce,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  const code = await walkThroughPages(`${issuer}/auth?${query}`, login, redirectUri)
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: redirectUri,
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
    }),
  })
  if (!response.ok) throw new Error(`no token: ${await response.text()}`)
  return ((await response.json()) as { id_token: string }).id_token
}

/** Submits the provider's login and consent pages until it redirects back with a code. */
async function walkThroughPages(start: string, login: string, redirectUri: string): Promise<string> {
  const visit = createVisitor()
  let response = await visit(start)
  for (let page = 0; page < MAX_PAGES; page++) {
    const location = response.headers.get('location')
    if (location?.startsWith(redirectUri)) {
      const code = new URL(location).searchParams.get('code')
      if (!code) throw new Error(`no code: ${location}`)
      return code
    }
    if (location) {
      response = await visit(new URL(location, start).href)
      continue
    }
    const html = await response.text()
    const action = /action="([^"]+)"/.exec(html)?.[1]
    const prompt = /name="prompt" value="([^"]+)"/.exec(html)?.[1]
    if (!action || !prompt) throw new Error(`not a form: ${html.slice(0, 300)}`)
    const form = new URLSearchParams({ prompt, login, password: 'any' })
    response = await visit(new URL(action, start).href, { method: 'POST', body: form })
  }
  throw new Error('The provider never came back.')
}

/** Returns a `fetch` that keeps cookies and leaves redirects to the caller. */
function createVisitor() {
  const jar = new Map<string, string>()
  return async (url: string, init: RequestInit = {}): Promise<Response> => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      jar.set(pair.slice(0, at), pair.slice(at + 1))
    }
    return response
  }
}
