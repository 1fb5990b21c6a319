import { type AnswerOf, disableTotp, type getSecondFactors, replaceRecoveryCodes } from '@bigtech/client'
import { useState } from 'react'
import { call } from '../../core/api.ts'
import { dateAndTime } from '../../core/times.ts'
import { useLanguage, useT } from '../../i18n/index.ts'
import { Modal } from '../../ui/modal.tsx'
import { notify } from '../../ui/notices.tsx'
import { ProofForm } from '../proof-form.tsx'
import { AuthenticatorSetup } from './authenticator-setup.tsx'
import { RecoveryCodes } from './recovery-codes.tsx'

export interface FactorsProps {
  readonly factors: AnswerOf<typeof getSecondFactors>
  readonly onChange: () => void
}

/** The authenticator app and its recovery codes. */
export function AuthenticatorPart({ factors, onChange }: FactorsProps) {
  const t = useT()
  const [isSettingUp, setSettingUp] = useState(false)
  const [codes, setCodes] = useState<readonly string[]>()
  const showCodes = (made: readonly string[]) => {
    setSettingUp(false)
    setCodes(made)
    onChange()
  }
  return (
    <section className="security-part">
      <h3>{t('security.app')}</h3>
      {codes && <RecoveryCodes codes={codes} onKept={() => setCodes(undefined)} />}
      {!codes && factors.totp_enabled_at && (
        <EnabledApp
          since={factors.totp_enabled_at}
          factors={factors}
          onChange={onChange}
          onCodes={showCodes}
        />
      )}
      {!codes && !factors.totp_enabled_at && (
        <>
          <p className="quiet">{t('security.appText')}</p>
          {isSettingUp ? (
            <AuthenticatorSetup onCodes={showCodes} onCancel={() => setSettingUp(false)} />
          ) : (
            <button type="button" onClick={() => setSettingUp(true)}>
              {t('security.setUp')}
            </button>
          )}
        </>
      )}
    </section>
  )
}

interface EnabledAppProps extends FactorsProps {
  readonly since: string
  readonly onCodes: (codes: readonly string[]) => void
}

function EnabledApp({ since, factors, onChange, onCodes }: EnabledAppProps) {
  const t = useT()
  const language = useLanguage()
  const [asking, setAsking] = useState<'newCodes' | 'turnOff'>()
  const close = () => setAsking(undefined)
  return (
    <>
      <p>
        {t('security.appOn', { when: dateAndTime(since, language) })}{' '}
        {t('security.codesLeft', { count: factors.recovery_codes_left })}
      </p>
      <div className="button-row">
        <button type="button" onClick={() => setAsking('newCodes')}>
          {t('security.newCodes')}
        </button>
        <button type="button" className="danger" onClick={() => setAsking('turnOff')}>
          {t('security.turnOff')}
        </button>
      </div>
      {asking === 'newCodes' && (
        <Modal title={t('security.newCodes')} onClose={close}>
          <ProofForm
            action={t('security.newCodes')}
            needsCode
            onProof={async (body) => {
              const { recovery_codes } = await call(replaceRecoveryCodes, { body })
              close()
              onCodes(recovery_codes)
            }}
          >
            <p>{t('security.newCodesText')}</p>
          </ProofForm>
        </Modal>
      )}
      {asking === 'turnOff' && (
        <Modal title={t('security.app')} onClose={close}>
          <ProofForm
            action={t('security.turnOff')}
            isDanger
            needsCode
            onProof={async (body) => {
              await call(disableTotp, { body })
              close()
              notify(t('security.isOff'))
              onChange()
            }}
          >
            <p>{t('security.turnOffText')}</p>
          </ProofForm>
        </Modal>
      )}
    </>
  )
}
