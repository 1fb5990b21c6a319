import {
  confirmEmail,
  downloadDataExport,
  endReportedSession,
  resetPassword,
  undoEmailChange,
} from '@bigtech/client'
import { useState } from 'react'
import { call, http } from '../core/api.ts'
import { useT } from '../i18n/index.ts'
import { Field } from '../ui/field.tsx'
import { AuthCard } from './auth-card.tsx'
import { FormEnd } from './form-end.tsx'
import { type LinkKind, linkToken } from './link-kind.ts'
import { useSubmit } from './use-submit.ts'

const operations = { verify: confirmEmail, undo: undoEmailChange, report: endReportedSession }

/**
 * The page of a link in a mail. Requires a click on a button, so that mail scanners that open links do not
 * use them up.
 */
export default function AccountLinkPage({ kind, onDone }: { kind: LinkKind; onDone: () => void }) {
  const t = useT()
  const [isDone, setDone] = useState(false)
  const token = linkToken()
  const { submit, isBusy, failure, problems } = useSubmit(async ({ password = '' }) => {
    if (kind === 'reset') await http.call(resetPassword, { body: { token, new_password: password } })
    else if (kind === 'export') await saveExport(token)
    else await http.call(operations[kind], { body: { token } })
    setDone(true)
  })
  return (
    <AuthCard title={t(`link.${kind}.title`)}>
      {isDone ? (
        <>
          <p role="status">{t(`link.${kind}.done`)}</p>
          <button type="button" className="primary" onClick={onDone}>
            {t('link.goOn')}
          </button>
        </>
      ) : (
        <form className="form" onSubmit={submit}>
          <p>{t(`link.${kind}.text`)}</p>
          {kind === 'reset' && (
            <Field
              label={t('settings.newPassword')}
              name="password"
              type="password"
              autoComplete="new-password"
              hint={t('rule.password')}
              required
              problem={problems.new_password}
            />
          )}
          <FormEnd failure={failure} isBusy={isBusy} label={t(`link.${kind}.action`)} />
        </form>
      )}
    </AuthCard>
  )
}

/** Downloads the archive and saves it as a file. */
async function saveExport(token: string): Promise<void> {
  const response = await call(downloadDataExport, { body: { token } })
  const url = URL.createObjectURL(await response.blob())
  const link = document.createElement('a')
  link.href = url
  link.download = 'bigtech-chat.json'
  link.click()
  // The browser reads the address after the click has been handled.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
