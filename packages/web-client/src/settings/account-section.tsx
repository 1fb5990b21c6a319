import { changePassword, deleteMyAccount, isProblem } from '@bigtech/client'
import { type FormEvent, useState } from 'react'
import { call, session } from '../core/api.ts'
import { useT } from '../i18n/index.ts'
import { Field } from '../ui/field.tsx'
import { Modal } from '../ui/modal.tsx'
import { attempt, notify } from '../ui/notices.tsx'

/** The password, and the end of the account. */
export function AccountSection() {
  const t = useT()
  const [isDeleting, setDeleting] = useState(false)
  const change = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const values = Object.fromEntries(new FormData(form)) as Record<string, string>
    const body = { current_password: values.current ?? '', new_password: values.next ?? '' }
    void attempt(async () => {
      await call(changePassword, { body })
      form.reset()
      notify(t('settings.passwordChanged'))
    })
  }
  return (
    <>
      <h3>{t('settings.password')}</h3>
      <form className="form" onSubmit={change}>
        <Field
          label={t('settings.currentPassword')}
          name="current"
          type="password"
          autoComplete="current-password"
          required
        />
        <Field
          label={t('settings.newPassword')}
          name="next"
          type="password"
          autoComplete="new-password"
          hint={t('rule.password')}
          minLength={8}
          required
        />
        <button type="submit">{t('settings.changePassword')}</button>
      </form>
      <h3>{t('settings.deleteAccount')}</h3>
      <p className="quiet">{t('settings.deleteAccountText')}</p>
      <button type="button" className="danger" onClick={() => setDeleting(true)}>
        {t('settings.deleteAccount')}
      </button>
      {isDeleting && <DeleteDialog onClose={() => setDeleting(false)} />}
    </>
  )
}

function DeleteDialog({ onClose }: { onClose: () => void }) {
  const t = useT()
  const [needsCode, setNeedsCode] = useState(false)
  const remove = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const values = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>
    const message_policy = values.messages === 'on' ? ('remove' as const) : ('keep' as const)
    const { password = '', code } = values
    void attempt(async () => {
      try {
        await call(deleteMyAccount, { body: { password, message_policy, ...(code ? { code } : {}) } })
      } catch (err) {
        if (isProblem(err, 'SECOND_FACTOR_REQUIRED') && !needsCode) return setNeedsCode(true)
        throw err
      }
      await session.logout()
    })
  }
  return (
    <Modal title={t('settings.deleteAccount')} onClose={onClose}>
      <form className="form" onSubmit={remove}>
        <p>{t('settings.deleteAccountText')}</p>
        <label className="check">
          <input type="checkbox" name="messages" /> {t('settings.deleteMessagesToo')}
        </label>
        <Field
          label={t('auth.password')}
          name="password"
          type="password"
          autoComplete="current-password"
          required
        />
        {needsCode && (
          <Field
            label={t('auth.code')}
            name="code"
            autoComplete="one-time-code"
            hint={t('auth.codeHint')}
            required
            autoFocus
          />
        )}
        <button type="submit" className="danger">
          {t('settings.deleteForGood')}
        </button>
      </form>
    </Modal>
  )
}
