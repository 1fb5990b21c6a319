import { changePassword, deleteMyAccount } from '@bigtech/client'
import { type FormEvent, useState } from 'react'
import { call, session } from '../core/api.ts'
import { useT } from '../i18n/index.ts'
import { Field } from '../ui/field.tsx'
import { Modal } from '../ui/modal.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import { ProofForm } from './proof-form.tsx'

/** Changing the password, and deleting the account. */
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
  return (
    <Modal title={t('settings.deleteAccount')} onClose={onClose}>
      <ProofForm
        action={t('settings.deleteForGood')}
        isDanger
        onProof={async (proof, { messages }) => {
          const message_policy = messages === 'on' ? ('remove' as const) : ('keep' as const)
          await call(deleteMyAccount, { body: { ...proof, message_policy } })
          await session.logout()
        }}
      >
        <p>{t('settings.deleteAccountText')}</p>
        <label className="check">
          <input type="checkbox" name="messages" /> {t('settings.deleteMessagesToo')}
        </label>
      </ProofForm>
    </Modal>
  )
}
