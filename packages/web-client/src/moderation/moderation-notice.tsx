import { acknowledgeNotice, listModerationNotices } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { Suspense } from 'react'
import { call } from '../core/api.ts'
import { useChat } from '../core/chat.ts'
import { lazyWithTexts } from '../i18n/lazy-with-texts.tsx'
import { attempt } from '../ui/notices.tsx'

const NoticeDialog = lazyWithTexts('pages', () => import('./notice-dialog.tsx'))

/** Shows unread decisions of moderators until the user acknowledges them. */
export function ModerationNotice() {
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
    <Suspense>
      <NoticeDialog notice={notice} onRead={acknowledge} />
    </Suspense>
  )
}
