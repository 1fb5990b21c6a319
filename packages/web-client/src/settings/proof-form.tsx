import { isProblem } from '@bigtech/client'
import { type ReactNode, useState } from 'react'
import { useSubmit } from '../auth/use-submit.ts'
import { useT } from '../i18n/index.ts'
import { Field } from '../ui/field.tsx'

interface Proof {
  readonly password: string
  readonly code?: string
}

interface ProofFormProps {
  readonly action: string
  readonly isDanger?: boolean
  /** Whether the account has an authenticator app. Otherwise the code is requested when the server requires one. */
  readonly needsCode?: boolean
  readonly children?: ReactNode
  readonly onProof: (proof: Proof, values: Partial<Record<string, string>>) => Promise<unknown>
}

/** A form that confirms the user's identity by password and, with an authenticator app, a code. */
export function ProofForm({ action, isDanger, needsCode = false, children, onProof }: ProofFormProps) {
  const t = useT()
  const [hasCode, setCode] = useState(needsCode)
  const { submit, isBusy, failure, problems } = useSubmit(async ({ password = '', code, ...values }) => {
    try {
      await onProof({ password, ...(code ? { code } : {}) }, values)
    } catch (err) {
      if (!isProblem(err, 'SECOND_FACTOR_REQUIRED') || hasCode) throw err
      setCode(true)
    }
  })
  return (
    <form className="form" onSubmit={submit}>
      {children}
      <Field
        label={t('settings.currentPassword')}
        name="password"
        type="password"
        autoComplete="current-password"
        required
      />
      {hasCode && (
        <Field
          label={t('auth.code')}
          name="code"
          autoComplete="one-time-code"
          hint={t('auth.codeHint')}
          required
          autoFocus={!needsCode}
        />
      )}
      <p className="error" role="alert">
        {failure || Object.values(problems).join(' ')}
      </p>
      <button type="submit" className={isDanger ? 'danger' : 'primary'} disabled={isBusy}>
        {action}
      </button>
    </form>
  )
}
