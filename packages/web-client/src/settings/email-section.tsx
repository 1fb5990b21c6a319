import { changeEmail, changeUsername, requestEmailVerification } from '@bigtech/client'
import { type FormEvent, useState } from 'react'
import { call } from '../core/api.ts'
import { keys, useChat } from '../core/chat.ts'
import { useProfile } from '../core/queries.ts'
import { useT } from '../i18n/index.ts'
import { Field } from '../ui/field.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import { ProofForm } from './proof-form.tsx'

/** The address and the username of the account. */
export function EmailSection() {
  const t = useT()
  const chat = useChat()
  const { data: profile } = useProfile()
  const [sentFor, setSentFor] = useState(0)
  if (!profile) return null
  const rename = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const username = String(new FormData(form).get('username'))
    void attempt(async () => {
      chat.queries.setQueryData(keys.profile, await call(changeUsername, { body: { username } }))
      form.reset()
      notify(t('saved'))
    })
  }
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
      <ProofForm
        key={sentFor}
        action={t('settings.changeEmail')}
        onProof={async (proof, { email = '' }) => {
          await call(changeEmail, { body: { ...proof, email } })
          setSentFor(sentFor + 1)
          notify(t('settings.emailLinkSent'))
        }}
      >
        <Field label={t('settings.newEmail')} name="email" type="email" autoComplete="email" required />
      </ProofForm>
      <h3>{t('auth.username')}</h3>
      <form className="form" onSubmit={rename}>
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
