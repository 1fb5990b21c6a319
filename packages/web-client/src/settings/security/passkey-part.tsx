import { addPasskey, removePasskey, startPasskey } from '@bigtech/client'
import { KeyRound } from 'lucide-react'
import { useState } from 'react'
import { call } from '../../core/api.ts'
import { createPasskey, hasPasskeys } from '../../core/passkeys.ts'
import { ago } from '../../core/times.ts'
import { useLanguage, useT } from '../../i18n/index.ts'
import { Field } from '../../ui/field.tsx'
import { Modal } from '../../ui/modal.tsx'
import { notify } from '../../ui/notices.tsx'
import { ProofForm } from '../proof-form.tsx'
import type { FactorsProps } from './authenticator-part.tsx'

type Passkey = FactorsProps['factors']['passkeys'][number]

/** The passkeys of the account: list, add, remove. */
export function PasskeyPart({ factors, onChange }: FactorsProps) {
  const t = useT()
  const [isAdding, setAdding] = useState(false)
  const [removing, setRemoving] = useState<Passkey>()
  const needsCode = factors.totp_enabled_at !== null
  const done = (said: string) => {
    setAdding(false)
    setRemoving(undefined)
    notify(said)
    onChange()
  }
  return (
    <section className="security-part">
      <h3>{t('security.passkeys')}</h3>
      <p className="quiet">{t('security.passkeysText')}</p>
      {factors.passkeys.length > 0 && (
        <ul className="sessions">
          {factors.passkeys.map((passkey) => (
            <PasskeyRow key={passkey.passkey_id} passkey={passkey} onRemove={() => setRemoving(passkey)} />
          ))}
        </ul>
      )}
      {hasPasskeys() ? (
        <button type="button" onClick={() => setAdding(true)}>
          {t('security.addPasskey')}
        </button>
      ) : (
        <p className="quiet">{t('security.passkeysUnsupported')}</p>
      )}
      {isAdding && (
        <Modal title={t('security.addPasskey')} onClose={() => setAdding(false)}>
          <ProofForm
            action={t('security.addPasskey')}
            needsCode={needsCode}
            onProof={async (body, { name = '' }) => {
              const { challenge_token, options } = await call(startPasskey, { body })
              const credential = await createPasskey(options)
              await call(addPasskey, { body: { challenge_token, name, credential } })
              done(t('security.passkeyAdded'))
            }}
          >
            <Field
              label={t('security.passkeyName')}
              name="name"
              hint={t('security.passkeyNameHint')}
              maxLength={50}
              required
            />
          </ProofForm>
        </Modal>
      )}
      {removing && (
        <Modal
          title={t('security.removePasskey', { name: removing.name })}
          onClose={() => setRemoving(undefined)}
        >
          <ProofForm
            action={t('security.remove')}
            isDanger
            needsCode={needsCode}
            onProof={async (body) => {
              await call(removePasskey, { params: { passkey_id: removing.passkey_id }, body })
              done(t('security.passkeyRemoved'))
            }}
          >
            <p>{t('security.removePasskeyText')}</p>
          </ProofForm>
        </Modal>
      )}
    </section>
  )
}

function PasskeyRow({ passkey, onRemove }: { passkey: Passkey; onRemove: () => void }) {
  const t = useT()
  const language = useLanguage()
  const { name, created_at, last_used_at } = passkey
  return (
    <li>
      <KeyRound size={22} aria-hidden="true" />
      <span className="person-text">
        <span>{name}</span>
        <span className="quiet">
          {last_used_at
            ? t('security.passkeyUsed', { when: ago(last_used_at, language) })
            : t('security.passkeyUnused', { when: ago(created_at, language) })}
        </span>
      </span>
      <button type="button" aria-label={t('security.removePasskey', { name })} onClick={onRemove}>
        {t('security.remove')}
      </button>
    </li>
  )
}
