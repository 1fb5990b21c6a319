import { ApiProblem, registerUser } from '@bigtech/client'
import { type FormEvent, useState } from 'react'
import { http, session, sessionEnded } from '../core/api.ts'
import { useStore } from '../core/store.ts'
import { explain, ruleOf } from '../core/words.ts'
import { useLanguage, useT } from '../i18n/index.ts'
import { Field } from '../ui/field.tsx'
import { LanguageAndTheme } from '../ui/language-and-theme.tsx'
import '../styles/auth.css'

type Problems = Partial<Record<string, string>>

/** Sign in, or sign up and sign in. The address stays, so that a link works after signing in. */
export function SignInPage() {
  const t = useT()
  const [isNew, setNew] = useState(false)
  return (
    <div className="auth">
      <main className="auth-card">
        <img src="/icon.svg" alt="" width={56} height={56} />
        <h1>{isNew ? t('auth.signUpTitle') : t('auth.signInTitle')}</h1>
        {isNew ? <SignUpForm /> : <SignInForm />}
        <p className="auth-switch">
          {isNew ? t('auth.haveAccount') : t('auth.noAccount')}{' '}
          <button type="button" className="link" onClick={() => setNew(!isNew)}>
            {isNew ? t('auth.signIn') : t('auth.signUp')}
          </button>
        </p>
      </main>
      <footer>
        <LanguageAndTheme />
      </footer>
    </div>
  )
}

function SignInForm() {
  const t = useT()
  const hasEnded = useStore(sessionEnded)
  const { submit, isBusy, failure } = useSubmit(async (values) => {
    await session.login(values.email ?? '', values.password ?? '')
  })
  return (
    <form className="form" onSubmit={submit}>
      {hasEnded && <p role="status">{t('auth.sessionEnded')}</p>}
      <Field label={t('auth.emailOrUsername')} name="email" autoComplete="username" required />
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

function SignUpForm() {
  const t = useT()
  const locale = useLanguage()
  const { submit, isBusy, failure, problems } = useSubmit(async (values) => {
    const { email = '', username = '', password = '', display_name = '' } = values
    const body = { email, username, password, locale, ...(display_name ? { display_name } : {}) }
    await http.call(registerUser, { body })
    await session.login(email, password)
  })
  return (
    <form className="form" onSubmit={submit}>
      <Field
        label={t('auth.email')}
        name="email"
        type="email"
        autoComplete="email"
        required
        problem={problems.email}
      />
      <Field
        label={t('auth.username')}
        name="username"
        autoComplete="username"
        hint={t('rule.username')}
        required
        problem={problems.username}
      />
      <Field
        label={t('auth.displayName')}
        name="display_name"
        autoComplete="name"
        hint={t('auth.displayNameHint')}
        problem={problems.display_name}
      />
      <Field
        label={t('auth.password')}
        name="password"
        type="password"
        autoComplete="new-password"
        hint={t('rule.password')}
        required
        problem={problems.password}
      />
      <FormEnd failure={failure} isBusy={isBusy} label={t('auth.signUp')} />
    </form>
  )
}

function FormEnd({ failure, isBusy, label }: { failure: string; isBusy: boolean; label: string }) {
  return (
    <>
      <p className="error" role="alert">
        {failure}
      </p>
      <button type="submit" className="primary" disabled={isBusy}>
        {label}
      </button>
    </>
  )
}

/** A form's sending: busy while it runs, the failure in words, problems by field. */
function useSubmit(work: (values: Partial<Record<string, string>>) => Promise<void>) {
  const [isBusy, setBusy] = useState(false)
  const [failure, setFailure] = useState('')
  const [problems, setProblems] = useState<Problems>({})
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const values = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>
    setBusy(true)
    setFailure('')
    setProblems({})
    try {
      await work(values)
    } catch (err) {
      const byField = problemsOf(err)
      setProblems(byField)
      if (Object.keys(byField).length === 0) setFailure(explain(err))
    } finally {
      setBusy(false)
    }
  }
  return { submit, isBusy, failure, problems }
}

function problemsOf(err: unknown): Problems {
  if (!(err instanceof ApiProblem)) return {}
  if (err.code === 'EMAIL_TAKEN') return { email: explain(err) }
  if (err.code === 'USERNAME_TAKEN') return { username: explain(err) }
  return Object.fromEntries(err.errors.map(({ field, message }) => [field, ruleOf(field) ?? message]))
}
