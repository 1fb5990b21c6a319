import { changeEmail, changeUsername, requestEmailVerification } from '@bigtech/client'
import type { FormEvent } from 'react'
import { call } from '../core/api.ts'
import { keys, useChat } from '../core/chat.ts'
import { useProfile } from '../core/queries.ts'
import { useT } from '../i18n/index.ts'
import { Field } from '../ui/field.tsx'
import { attempt, notify } from '../ui/notices.tsx'

/** The address and the username of the account. */
export function EmailSection() {
  const t = useT()
  const chat = useChat()
  const { data: profile } = useProfile()
  if (!profile) return null
  const submit = (work: (values: Record<string, string>) => Promise<unknown>, said: string) => {
    return (event: FormEvent<HTMLFormElement>) => {
      event.preventDefault()
      const form = event.currentTarget
      const values = Object.fromEntries(new FormData(form)) as Record<string, string>
      void attempt(async () => {
        await work(values)
        form.reset()
        notify(said)
      })
    }
  }
  const rename = async ({ username = '' }) =>
    chat.queries.setQueryData(keys.profile, await call(changeUsername, { body: { username } }))
  const move = ({ email = '', password = '' }) => call(changeEmail, { body: { email, password } })
  const resend = () =>
    void attempt(async () => {
      await call(requestEmailVerification, {})
      notify(t('settings.verificationSent'))
    })
  return (
    <>
      <h3>{t('auth.email')}</h3>
      {!profile.email_verified && (
        <p>
          {t('settings.emailUnverified')}{' '}
          <button type="button" className="link" onClick={resend}>
            {t('settings.sendVerification')}
          </button>
        </p>
      )}
      <form className="form" onSubmit={submit(move, t('settings.emailLinkSent'))}>
        <Field label={t('settings.newEmail')} name="email" type="email" autoComplete="email" required />
        <Field
          label={t('settings.currentPassword')}
          name="password"
          type="password"
          autoComplete="current-password"
          required
        />
        <button type="submit">{t('settings.changeEmail')}</button>
      </form>
      <h3>{t('auth.username')}</h3>
      <form className="form" onSubmit={submit(rename, t('saved'))}>
        <Field
          label={t('auth.username')}
          name="username"
          autoComplete="off"
          hint={t('settings.usernameHint')}
          placeholder={profile.username}
          required
        />
        <button type="submit">{t('settings.changeUsername')}</button>
      </form>
    </>
  )
}
