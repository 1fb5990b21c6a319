import type { listModerationNotices } from '@bigtech/client'
import type { call } from '../core/api.ts'
import { dateAndTime } from '../core/times.ts'
import { type TextKey, useLanguage, useT } from '../i18n/index.ts'
import { Modal } from '../ui/modal.tsx'

type Notice = Awaited<ReturnType<typeof call<typeof listModerationNotices>>>['items'][number]

interface NoticeDialogProps {
  readonly notice: Notice
  readonly onRead: () => void
}

/** Shows a moderator's decision about the user. */
export default function NoticeDialog({ notice, onRead }: NoticeDialogProps) {
  const t = useT()
  const language = useLanguage()
  return (
    <Modal title={t('notice.title')} onClose={onRead}>
      <p>{t(`notice.${notice.action}` as TextKey)}</p>
      {notice.message && <blockquote>{notice.message}</blockquote>}
      {notice.until && <p>{t('link.until', { when: dateAndTime(notice.until, language) })}</p>}
      <div className="modal-actions">
        <button type="button" className="primary" onClick={onRead}>
          {t('notice.read')}
        </button>
      </div>
    </Modal>
  )
}
