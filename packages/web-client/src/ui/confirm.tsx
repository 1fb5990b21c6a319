import { useT } from '../i18n/index.ts'
import { Modal } from './modal.tsx'

interface ConfirmProps {
  readonly title: string
  readonly text: string
  readonly action: string
  readonly onConfirm: () => void
  readonly onClose: () => void
}

/** Asks for confirmation of an irreversible action. */
export default function Confirm({ title, text, action, onConfirm, onClose }: ConfirmProps) {
  const t = useT()
  return (
    <Modal title={title} onClose={onClose}>
      <p>{text}</p>
      <div className="modal-actions">
        <button type="button" onClick={onClose}>
          {t('cancel')}
        </button>
        <button
          type="button"
          className="danger"
          onClick={() => {
            onClose()
            onConfirm()
          }}
        >
          {action}
        </button>
      </div>
    </Modal>
  )
}
