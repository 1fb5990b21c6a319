import { ApiProblem } from '@bigtech/client'
import { useEffect, useRef, useState } from 'react'
import { session } from '../core/api.ts'
import { explain } from '../core/words.ts'
import { useT } from '../i18n/index.ts'
import { Field } from '../ui/field.tsx'
import { Spinner } from '../ui/spinner.tsx'
import { AuthCard } from './auth-card.tsx'
import { FormEnd } from './form-end.tsx'
import { takeGoogleReturn } from './google-sign-in.ts'
import { useSubmit } from './use-submit.ts'

/** The redirect target of Google: signs in, and requests the password once when an account must be linked. */
export default function GooglePage({ onDone }: { onDone: (path: string) => void }) {
  const t = useT()
  // Read once, because reading removes the token from the address.
  const [returned] = useState(takeGoogleReturn)
  const [needsPassword, setNeedsPassword] = useState(false)
  const [problem, setProblem] = useState(returned ? '' : t('auth.googleFailed'))
  const isStarted = useRef(false)
  useEffect(() => {
    if (!returned || isStarted.current) return
    isStarted.current = true
    session.loginWithGoogle(returned.idToken).then(
      () => onDone(returned.path),
      (err: unknown) => {
        if (err instanceof ApiProblem && err.code === 'GOOGLE_LINK_REFUSED') setNeedsPassword(true)
        else setProblem(explain(err))
      },
    )
  }, [returned, onDone])
  const { submit, isBusy, failure } = useSubmit(async ({ password = '' }) => {
    if (!returned) return
    await session.loginWithGoogle(returned.idToken, password)
    onDone(returned.path)
  })
  return (
    <AuthCard title={t('auth.googleTitle')}>
      {needsPassword && (
        <form className="form" onSubmit={submit}>
          <p>{t('auth.googleLink')}</p>
          <Field
            label={t('auth.password')}
            name="password"
            type="password"
            autoComplete="current-password"
            required
          />
          <FormEnd failure={failure} isBusy={isBusy} label={t('auth.signIn')} />
        </form>
      )}
      {problem && (
        <p className="error" role="alert">
          {problem}
        </p>
      )}
      {(problem || needsPassword) && (
        <button type="button" className="link" onClick={() => onDone('/rooms')}>
          {t('auth.back')}
        </button>
      )}
      {!problem && !needsPassword && <Spinner />}
    </AuthCard>
  )
}
