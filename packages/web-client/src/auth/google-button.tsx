import { useEffect, useState } from 'react'
import { explain } from '../core/words.ts'
import { useT } from '../i18n/index.ts'
import { findGoogleClient, type GoogleClient, leaveForGoogle } from './google-sign-in.ts'

/** "Continue with Google", if the installation offers it. */
export function GoogleButton() {
  const t = useT()
  const [client, setClient] = useState<GoogleClient>()
  const [failure, setFailure] = useState('')
  useEffect(() => {
    // Without a response users sign in with their password.
    findGoogleClient().then(setClient, () => undefined)
  }, [])
  if (!client) return null
  return (
    <>
      <p className="auth-switch">{t('auth.or')}</p>
      <button
        type="button"
        onClick={() => leaveForGoogle(client).catch((err: unknown) => setFailure(explain(err)))}
      >
        {t('auth.google')}
      </button>
      {failure && (
        <p className="error" role="alert">
          {failure}
        </p>
      )}
    </>
  )
}
