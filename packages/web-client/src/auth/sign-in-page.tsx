import { isProblem, registerUser } from '@bigtech/client'
import { useState } from 'react'
import { http, session, sessionEnded } from '../core/api.ts'
import { useStore } from '../core/store.ts'
import { type TextKey, useLanguage, useT } from '../i18n/index.ts'
import { Field } from '../ui/field.tsx'
import { AuthCard } from './auth-card.tsx'
import { ForgotForm } from './forgot-form.tsx'
import { FormEnd } from './form-end.tsx'
import { GoogleButton } from './google-button.tsx'
import { PasskeyButton } from './passkey-button.tsx'
import { useSubmit } from './use-submit.ts'

type Mode = 'signIn' | 'signUp' | 'forgot'

const titles: Record<Mode, TextKey> = {
  signIn: 'auth.signInTitle',
  signUp: 'auth.signUpTitle',
  forgot: 'auth.forgotTitle',
}

/** Signs in, or signs up and in. The address stays, so that a link works after signing in. */
export default function SignInPage() {
  const t = useT()
  const [mode, setMode] = useState<Mode>('signIn')
  return (
    <AuthCard title={t(titles[mode])}>
      {mode === 'signIn' && <SignInForm />}
      {mode === 'signUp' && <SignUpForm />}
      {mode === 'forgot' && <ForgotForm />}
      {mode === 'signIn' && <PasskeyButton />}
      {mode !== 'forgot' && <GoogleButton />}
      {mode === 'signIn' && (
        <p className="auth-switch">
          <button type="button" className="link" onClick={() => setMode('forgot')}>
            {t('auth.forgot')}
          </button>
        </p>
      )}
      <p className="auth-switch">
        {mode === 'signIn' ? t('auth.noAccount') : t('auth.haveAccount')}{' '}
        <button
          type="button"
          className="link"
          onClick={() => setMode(mode === 'signIn' ? 'signUp' : 'signIn')}
        >
          {mode === 'signIn' ? t('auth.signUp') : t('auth.signIn')}
        </button>
      </p>
    </AuthCard>
  )
}

function SignInForm() {
  const t = useT()
  const hasEnded = useStore(sessionEnded)
  const [challenge, setChallenge] = useState('')
  const { submit, isBusy, failure } = useSubmit(async ({ email = '', password = '' }) => {
    try {
      await session.login(email, password)
    } catch (err) {
      if (!isProblem(err, 'SECOND_FACTOR_REQUIRED') || !err.challenge) throw err
      setChallenge(err.challenge.token)
    }
  })
  if (challenge) return <CodeForm challenge={challenge} onOver={() => setChallenge('')} />
  return (
    <form className="form" onSubmit={submit}>
      {hasEnded && <p role="status">{t('auth.sessionEnded')}</p>}
      <Field label={t('auth.emailOrUsername')} name="email" autoComplete="username webauthn" required />
      <Field
        label={t('auth.password')}
        name="password"
        type="password"
        autoComplete="current-password"
        required
      />
      <FormEnd failure={failure} isBusy={isBusy} label={t('auth.signIn')} />
    </form>
  )
}

/** The second step of a sign-in, for accounts with an authenticator app. */
function CodeForm({ challenge, onOver }: { challenge: string; onOver: () => void }) {
  const t = useT()
  const { submit, isBusy, failure } = useSubmit(async ({ code = '' }) => {
    try {
      await session.completeLogin(challenge, code)
    } catch (err) {
      if (isProblem(err, 'CHALLENGE_INVALID')) onOver()
      throw err
    }
  })
  return (
    <form className="form" onSubmit={submit}>
      <Field
        label={t('auth.code')}
        name="code"
        autoComplete="one-time-code"
        inputMode="text"
        hint={t('auth.codeHint')}
        required
        autoFocus
      />
      <FormEnd failure={failure} isBusy={isBusy} label={t('auth.signIn')} />
    </form>
  )
}

function SignUpForm() {
  const t = useT()
  const locale = useLanguage()
  const { submit, isBusy, failure, problems } = useSubmit(async (values) => {
    const { email = '', username = '', password = '', display_name = '' } = values
    const body = { email, username, password, locale, ...(display_name ? { display_name } : {}) }
    await http.call(registerUser, { body })
    await session.login(email, password)
  })
  const field = (name: string, label: TextKey) => ({ name, label: t(label), problem: problems[name] })
  return (
    <form className="form" onSubmit={submit}>
      <Field {...field('email', 'auth.email')} type="email" autoComplete="email" required />
      <Field
        {...field('username', 'auth.username')}
        autoComplete="username"
        hint={t('rule.username')}
        required
      />
      <Field
        {...field('display_name', 'auth.displayName')}
        autoComplete="name"
        hint={t('auth.displayNameHint')}
      />
      <Field
        {...field('password', 'auth.password')}
        type="password"
        autoComplete="new-password"
        hint={t('rule.password')}
        required
      />
      <FormEnd failure={failure} isBusy={isBusy} label={t('auth.signUp')} />
    </form>
  )
}
