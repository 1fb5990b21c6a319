import { reportUser } from '@bigtech/client'
import { type FormEvent, useId } from 'react'
import { call } from '../core/api.ts'
import { type TextKey, useT } from '../i18n/index.ts'
import { Modal } from '../ui/modal.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import { reportReasons } from './report-reasons.ts'

interface ReportDialogProps {
  /** A user, or one of their messages. */
  readonly subject: { readonly user_id: number } | { readonly message_id: string }
  readonly name: string
  readonly onClose: () => void
}

/** Reports a user or a message to the moderators. */
export default function ReportDialog({ subject, name, onClose }: ReportDialogProps) {
  const t = useT()
  const id = useId()
  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const reason = reportReasons.find((each) => each === form.get('reason')) ?? 'other'
    const comment = String(form.get('comment')).trim()
    void attempt(async () => {
      await call(reportUser, { body: { ...subject, reason, ...(comment ? { comment } : {}) } })
      notify(t('report.done'))
      onClose()
    })
  }
  return (
    <Modal title={t('report.title', { name })} onClose={onClose}>
      <form className="form" onSubmit={send}>
        <p>{t('message_id' in subject ? 'report.messageText' : 'report.userText')}</p>
        <div className="field">
          <label htmlFor={`${id}-reason`}>{t('report.reason')}</label>
          <select id={`${id}-reason`} name="reason" defaultValue="spam">
            {reportReasons.map((reason) => (
              <option key={reason} value={reason}>
                {t(`report.reason.${reason}` as TextKey)}
              </option>
            ))}
          </select>
        </div>
        <div className="field">
          <label htmlFor={`${id}-comment`}>{t('report.comment')}</label>
          <textarea id={`${id}-comment`} name="comment" maxLength={1_000} rows={3} />
        </div>
        <div className="modal-actions">
          <button type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <button type="submit" className="danger">
            {t('report.send')}
          </button>
        </div>
      </form>
    </Modal>
  )
}
