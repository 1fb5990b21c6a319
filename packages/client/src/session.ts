import { ApiProblem } from './api-problem.ts'
import type { Http } from './http.ts'
import type { AnswerOf, CallOf, Operation } from './operation.ts'
import {
  completeLogin,
  loginWithGoogle,
  loginWithJson,
  loginWithPasskey,
  logout,
  refreshSession,
  type TokenPair,
} from './operations.ts'

/** The stored session. */
export interface StoredSession {
  readonly accessToken: string
  readonly refreshToken: string
  /** Unix milliseconds. */
  readonly accessExpiresAt: number
  readonly userId: number
}

/** Storage of the session: `localStorage` in a browser, memory in a test. */
export interface SessionStore {
  load(): StoredSession | undefined
  save(session: StoredSession | undefined): void
  /**
   * Returns the device token of an earlier sign-in on this device. Outlives the session, because the next
   * sign-in needs it.
   */
  loadDevice(): string | undefined
  saveDevice(deviceToken: string): void
  /**
   * Runs a refresh exclusively among all users of the store. Without it tabs refresh concurrently, which the
   * server allows.
   */
  exclusively?<Result>(work: () => Promise<Result>): Promise<Result>
}

export function memorySessionStore(): SessionStore {
  let kept: StoredSession | undefined
  let device: string | undefined
  return {
    load: () => kept,
    save: (session) => {
      kept = session
    },
    loadDevice: () => device,
    saveDevice: (deviceToken) => {
      device = deviceToken
    },
  }
}

/** The used part of the browser's Storage. */
interface KeyValueStorage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

interface WebLocks {
  request<Result>(
    name: string,
    options: { signal: AbortSignal },
    work: () => Promise<Result>,
  ): Promise<Result>
}

/** A tab frozen during a refresh must not block the refreshes of others. */
const LOCK_TIMEOUT_MS = 10_000

/**
 * Stores the session in `localStorage` or another storage shared by all tabs: signing in, signing out and
 * refreshing affect all of them.
 */
export function webSessionStore(storage: KeyValueStorage, key = 'bigtech-session'): SessionStore {
  const read = <Value>(name: string): Value | undefined => {
    const text = storage.getItem(name)
    try {
      return text === null ? undefined : (JSON.parse(text) as Value)
    } catch {
      return undefined
    }
  }
  const { locks } = (globalThis.navigator ?? {}) as { locks?: WebLocks }
  return {
    load: () => read<StoredSession>(key),
    save: (session) => (session ? storage.setItem(key, JSON.stringify(session)) : storage.removeItem(key)),
    loadDevice: () => read<string>(`${key}-device`),
    saveDevice: (deviceToken) => storage.setItem(`${key}-device`, JSON.stringify(deviceToken)),
    exclusively: async (work) => {
      if (!locks) return work()
      let started = false
      const run = () => {
        started = true
        return work()
      }
      try {
        return await locks.request(`${key}-refresh`, { signal: AbortSignal.timeout(LOCK_TIMEOUT_MS) }, run)
      } catch (err) {
        if (started) throw err
        return work()
      }
    },
  }
}

/** Refresh lead time before the expiry, so that a slow request does not arrive too late. */
const EARLY_MS = 30_000

/** Signs in and keeps signed in: refreshes tokens before they expire, once for all callers. */
export class Session {
  readonly #http: Http
  readonly #store: SessionStore
  readonly #onSignedOut: () => void
  #refreshing: Promise<StoredSession> | undefined

  /** @param onSignedOut called when the session has ended without `logout` */
  constructor(http: Http, store: SessionStore, onSignedOut: () => void = () => undefined) {
    this.#http = http
    this.#store = store
    this.#onSignedOut = onSignedOut
  }

  get current(): StoredSession | undefined {
    return this.#store.load()
  }

  /**
   * @param email or username
   * @throws ApiProblem CREDENTIALS_INVALID, LOGIN_LIMITED; SECOND_FACTOR_REQUIRED with a `challenge` for
   * `completeLogin`
   */
  async login(email: string, password: string): Promise<StoredSession> {
    return this.#keep(await this.#http.call(loginWithJson, { body: { email, password, ...this.#device() } }))
  }

  /**
   * Completes a sign-in with an authenticator or recovery code.
   * @throws ApiProblem SECOND_FACTOR_WRONG: try another code; CHALLENGE_INVALID: sign in again
   */
  async completeLogin(challengeToken: string, code: string): Promise<StoredSession> {
    const body = { challenge_token: challengeToken, code, ...this.#device() }
    return this.#keep(await this.#http.call(completeLogin, { body }))
  }

  /** Signs in with the response of `navigator.credentials.get` to the options of `startPasskeyLogin`. */
  async loginWithPasskey(
    challengeToken: string,
    credential: CallOf<typeof loginWithPasskey>['body']['credential'],
  ): Promise<StoredSession> {
    const body = { challenge_token: challengeToken, credential, ...this.#device() }
    return this.#keep(await this.#http.call(loginWithPasskey, { body }))
  }

  #device(): { device_token?: string } {
    const token = this.#store.loadDevice()
    return token ? { device_token: token } : {}
  }

  /**
   * Signs in with an ID token of Google that carries a nonce of `createGoogleNonce`.
   * @param password only for linking an account after GOOGLE_LINK_REFUSED
   * @throws ApiProblem GOOGLE_TOKEN_INVALID, GOOGLE_LINK_REFUSED, CREDENTIALS_INVALID
   */
  async loginWithGoogle(idToken: string, password?: string): Promise<StoredSession> {
    const body = { id_token: idToken, ...(password === undefined ? {} : { password }), ...this.#device() }
    return this.#keep(await this.#http.call(loginWithGoogle, { body }))
  }

  /** Ends the session on the server; always deletes the local data. */
  async logout(): Promise<void> {
    const token = this.current?.accessToken
    this.#store.save(undefined)
    if (token) await this.#http.call(logout, {}, { token }).catch(() => undefined)
  }

  /** Returns a valid access token. @throws ApiProblem when the session has ended */
  async token(): Promise<string> {
    const session = this.current
    if (session && session.accessExpiresAt - EARLY_MS > Date.now()) return session.accessToken
    return (await this.refresh()).accessToken
  }

  /** Calls an operation as the signed-in user; refreshes a rejected token once. */
  async call<const Op extends Operation>(operation: Op, input: CallOf<Op>): Promise<AnswerOf<Op>> {
    if (operation.auth === 'public') return this.#http.call(operation, input)
    const token = await this.token()
    try {
      return await this.#http.call(operation, input, { token })
    } catch (err) {
      if (!(err instanceof ApiProblem) || err.code !== 'TOKEN_INVALID') throw err
      const { accessToken } = await this.refresh()
      return this.#http.call(operation, input, { token: accessToken })
    }
  }

  refresh(): Promise<StoredSession> {
    this.#refreshing ??= this.#refreshOnce().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #refreshOnce(): Promise<StoredSession> {
    const before = this.current
    const run = () => {
      // Another tab has refreshed while this one waited for the lock.
      const replaced = before && this.current && this.#replaced(before)
      return replaced ? Promise.resolve(replaced) : this.#refresh()
    }
    return this.#store.exclusively ? this.#store.exclusively(run) : run()
  }

  async #refresh(): Promise<StoredSession> {
    const session = this.current
    if (!session) throw signedOut()
    try {
      const body = { refresh_token: session.refreshToken }
      const tokens = await this.#http.call(refreshSession, { body })
      return this.#replaced(session) ?? this.#keep(tokens)
    } catch (err) {
      // Only a rejection ends the session; after a lost response the next attempt may succeed.
      if (!(err instanceof ApiProblem) || err.status !== 401) throw err
      const replaced = this.#replaced(session)
      if (replaced) return replaced
      this.#store.save(undefined)
      this.#onSignedOut()
      throw err
    }
  }

  /**
   * Returns the session that replaced this one during a refresh by another tab on the same store.
   *
   * @throws ApiProblem NOT_AUTHENTICATED after a sign-out or a change of user: the response must not sign in
   * again
   */
  #replaced(session: StoredSession): StoredSession | undefined {
    const { current } = this
    if (current?.refreshToken === session.refreshToken) return undefined
    if (current?.userId === session.userId) return current
    throw signedOut()
  }

  #keep(tokens: TokenPair): StoredSession {
    if (tokens.device_token) this.#store.saveDevice(tokens.device_token)
    const session: StoredSession = {
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token,
      accessExpiresAt: Date.now() + tokens.expires_in * 1_000,
      userId: tokens.user_id,
    }
    this.#store.save(session)
    return session
  }
}

function signedOut(): ApiProblem {
  return new ApiProblem({
    title: 'Sign in first.',
    status: 401,
    code: 'NOT_AUTHENTICATED',
    request_id: '',
  })
}
