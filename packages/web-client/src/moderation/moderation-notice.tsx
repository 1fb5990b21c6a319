import { acknowledgeNotice, listModerationNotices } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { call } from '../core/api.ts'
import { useChat } from '../core/chat.ts'
import { dateAndTime } from '../core/times.ts'
import { type TextKey, useLanguage, useT } from '../i18n/index.ts'
import { Modal } from '../ui/modal.tsx'
import { attempt } from '../ui/notices.tsx'

/** What moderators have decided about the user, until the user says that they have read it. */
export default function ModerationNotice() {
  const t = useT()
  const language = useLanguage()
  const chat = useChat()
  const { data } = useQuery({
    queryKey: ['notices'],
    queryFn: () => call(listModerationNotices, {}),
    staleTime: Number.POSITIVE_INFINITY,
  })
  const notice = data?.items.findLast(({ acknowledged_at }) => acknowledged_at === null)
  if (!notice) return null
  const acknowledge = () =>
    void attempt(async () => {
      await call(acknowledgeNotice, { params: { notice_id: notice.notice_id } })
      await chat.queries.invalidateQueries({ queryKey: ['notices'] })
    })
  return (
    <Modal title={t('notice.title')} onClose={acknowledge}>
      <p>{t(`notice.${notice.action}` as TextKey)}</p>
      {notice.message && <blockquote>{notice.message}</blockquote>}
      {notice.until && <p>{t('link.until', { when: dateAndTime(notice.until, language) })}</p>}
      <div className="modal-actions">
        <button type="button" className="primary" onClick={acknowledge}>
          {t('notice.read')}
        </button>
      </div>
    </Modal>
  )
}
