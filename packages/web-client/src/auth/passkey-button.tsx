import { startPasskeyLogin } from '@bigtech/client'
import { useState } from 'react'
import { http, session } from '../core/api.ts'
import { hasPasskeys, signWithPasskey } from '../core/passkeys.ts'
import { explain } from '../core/words.ts'
import { useT } from '../i18n/index.ts'

/** "Sign in with a passkey", if the browser supports passkeys. Needs no account name: the passkey contains it. */
export function PasskeyButton() {
  const t = useT()
  const [isBusy, setBusy] = useState(false)
  const [failure, setFailure] = useState('')
  if (!hasPasskeys()) return null
  const signIn = async () => {
    setBusy(true)
    setFailure('')
    try {
      const { challenge_token, options } = await http.call(startPasskeyLogin, {})
      await session.loginWithPasskey(challenge_token, await signWithPasskey(options))
    } catch (err) {
      setFailure(explain(err))
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <button type="button" disabled={isBusy} onClick={() => void signIn()}>
        {t('auth.passkey')}
      </button>
      <p className="error" role="alert">
        {failure}
      </p>
    </>
  )
}
