import { type FormEvent, useId } from 'react'
import { useT } from '../i18n/index.ts'
import { Modal } from '../ui/modal.tsx'
import { useAsk } from './use-ask.ts'

interface AskDialogProps {
  readonly userId: number
  readonly name: string
  readonly onClose: () => void
}

/** Sends a friend request with an optional message. */
export default function AskDialog({ userId, name, onClose }: AskDialogProps) {
  const t = useT()
  const id = useId()
  const ask = useAsk()
  const send = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const message = String(new FormData(event.currentTarget).get('message')).trim()
    if (await ask(userId, message)) onClose()
  }
  return (
    <Modal title={t('friends.ask', { name })} onClose={onClose}>
      <form className="form" onSubmit={(event) => void send(event)}>
        <div className="field">
          <label htmlFor={id}>{t('friends.message')}</label>
          <textarea id={id} name="message" maxLength={200} rows={3} />
        </div>
        <div className="modal-actions">
          <button type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <button type="submit" className="primary">
            {t('friends.send')}
          </button>
        </div>
      </form>
    </Modal>
  )
}
