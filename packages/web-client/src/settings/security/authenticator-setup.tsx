import { type AnswerOf, confirmTotp, startTotp } from '@bigtech/client'
import { useState } from 'react'
import { FormEnd } from '../../auth/form-end.tsx'
import { useSubmit } from '../../auth/use-submit.ts'
import { call } from '../../core/api.ts'
import QrCode from '../../friends/qr-code.tsx'
import { useT } from '../../i18n/index.ts'
import { Field } from '../../ui/field.tsx'
import { attempt, notify } from '../../ui/notices.tsx'
import { ProofForm } from '../proof-form.tsx'

interface AuthenticatorSetupProps {
  readonly onCodes: (codes: readonly string[]) => void
  readonly onCancel: () => void
}

/** Sets up an app: the password, then the QR code, then a code as confirmation. */
export function AuthenticatorSetup({ onCodes, onCancel }: AuthenticatorSetupProps) {
  const t = useT()
  const [secret, setSecret] = useState<AnswerOf<typeof startTotp>>()
  return (
    <>
      {secret ? (
        <CodeStep {...secret} onCodes={onCodes} />
      ) : (
        <ProofForm
          action={t('security.setUp')}
          onProof={async (body) => setSecret(await call(startTotp, { body }))}
        />
      )}
      <button type="button" onClick={onCancel}>
        {t('cancel')}
      </button>
    </>
  )
}

interface CodeStepProps {
  readonly secret: string
  readonly uri: string
  readonly onCodes: (codes: readonly string[]) => void
}

function CodeStep({ secret, uri, onCodes }: CodeStepProps) {
  const t = useT()
  const { submit, isBusy, failure } = useSubmit(async ({ code = '' }) => {
    onCodes((await call(confirmTotp, { body: { code: code.trim() } })).recovery_codes)
  })
  const copy = () =>
    void attempt(async () => {
      await navigator.clipboard.writeText(secret)
      notify(t('message.copied'))
    })
  return (
    <>
      <p>{t('security.scan')}</p>
      <QrCode text={uri} label={t('security.qr')} />
      <div className="inline-form">
        <Field
          label={t('security.key')}
          className="made-link"
          readOnly
          value={secret}
          onFocus={(event) => event.target.select()}
        />
        <button type="button" onClick={copy}>
          {t('security.copyKey')}
        </button>
      </div>
      <form className="form" onSubmit={submit}>
        <Field
          label={t('security.typeCode')}
          name="code"
          inputMode="numeric"
          autoComplete="one-time-code"
          required
          autoFocus
        />
        <FormEnd failure={failure} isBusy={isBusy} label={t('security.turnOn')} />
      </form>
    </>
  )
}
