import { forgotPassword } from '@bigtech/client'
import { useState } from 'react'
import { http } from '../core/api.ts'
import { useT } from '../i18n/index.ts'
import { Field } from '../ui/field.tsx'
import { FormEnd } from './form-end.tsx'
import { useSubmit } from './use-submit.ts'

/** Requests the mail for setting a new password. The response does not reveal whether the account exists. */
export function ForgotForm() {
  const t = useT()
  const [sentTo, setSentTo] = useState('')
  const { submit, isBusy, failure, problems } = useSubmit(async ({ email = '' }) => {
    await http.call(forgotPassword, { body: { email } })
    setSentTo(email)
  })
  if (sentTo) return <p role="status">{t('auth.forgotSent', { email: sentTo })}</p>
  return (
    <form className="form" onSubmit={submit}>
      <p>{t('auth.forgotText')}</p>
      <Field
        label={t('auth.email')}
        name="email"
        type="email"
        autoComplete="email"
        required
        problem={problems.email}
      />
      <FormEnd failure={failure} isBusy={isBusy} label={t('auth.forgotSend')} />
    </form>
  )
}
