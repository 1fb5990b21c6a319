import { startPasskeyLogin } from '@bigtech/client'
import { useEffect, useRef, useState } from 'react'
import { http, session } from '../core/api.ts'
import { hasPasskeys, maySuggestPasskeys, signWithPasskey } from '../core/passkeys.ts'
import { explain } from '../core/words.ts'
import { useT } from '../i18n/index.ts'

/**
 * "Sign in with a passkey", if the browser supports passkeys. Needs no account name: the passkey contains it.
 * The browser also suggests passkeys in the account field.
 */
export function PasskeyButton() {
  const t = useT()
  const [isBusy, setBusy] = useState(false)
  const [failure, setFailure] = useState('')
  const suggestion = useRef<AbortController>(undefined)
  const run = async (work: () => Promise<void>) => {
    setBusy(true)
    setFailure('')
    await work().catch((err: unknown) => setFailure(explain(err)))
    setBusy(false)
  }
  useEffect(() => {
    const over = new AbortController()
    suggestion.current = over
    // Without suggestions the button still works, and explains failures.
    void suggest(over.signal).then(
      (login) => login && run(login),
      () => undefined,
    )
    return () => over.abort()
  }, [])
  if (!hasPasskeys()) return null
  const signIn = async () => {
    // A browser handles one request at a time.
    suggestion.current?.abort()
    const login = await prove()
    await login()
  }
  return (
    <>
      <button type="button" disabled={isBusy} onClick={() => void run(signIn)}>
        {t('auth.passkey')}
      </button>
      <p className="error" role="alert">
        {failure}
      </p>
    </>
  )
}

/** Resolves once the user has picked a suggested passkey; undefined when the browser cannot suggest any. */
async function suggest(signal: AbortSignal): Promise<(() => Promise<void>) | undefined> {
  return (await maySuggestPasskeys()) && !signal.aborted ? prove(signal) : undefined
}

/** Has a challenge signed. @returns how to sign in with the signature */
async function prove(suggestUntil?: AbortSignal): Promise<() => Promise<void>> {
  const { challenge_token, options } = await http.call(startPasskeyLogin, {})
  const credential = await signWithPasskey(options, suggestUntil)
  return async () => {
    await session.loginWithPasskey(challenge_token, credential)
  }
}
