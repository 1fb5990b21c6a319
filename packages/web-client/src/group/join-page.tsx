import { joinRoom } from '@bigtech/client'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { call } from '../core/api.ts'
import { useChat } from '../core/chat.ts'
import { useT } from '../i18n/index.ts'
import { Empty } from '../ui/empty.tsx'
import { attempt } from '../ui/notices.tsx'
import { Page } from '../ui/page.tsx'

/** Joins a group by the link whose token is in the fragment. Opening an address alone does not join. */
export default function JoinPage() {
  const t = useT()
  const chat = useChat()
  const [, navigate] = useLocation()
  const [isBusy, setBusy] = useState(false)
  const token = location.hash.slice(1)
  const join = async () => {
    setBusy(true)
    await attempt(async () => {
      const room = await call(joinRoom, { params: { token } })
      chat.putRoom(room)
      navigate(`/rooms/${room.room_id}`, { replace: true })
    })
    setBusy(false)
  }
  return (
    <Page title={t('join.title')} back="/rooms">
      <Empty title={token.length < 8 ? t('error.JOIN_LINK_INVALID') : t('join.text')}>
        {token.length >= 8 && (
          <button type="button" className="primary" disabled={isBusy} onClick={() => void join()}>
            {t('join.action')}
          </button>
        )}
      </Empty>
    </Page>
  )
}
