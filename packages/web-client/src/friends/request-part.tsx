import { acceptFriendRequest } from '@bigtech/client'
import { Check, UserPlus } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { call } from '../core/api.ts'
import { keys, useChat } from '../core/chat.ts'
import { useRequests } from '../core/queries.ts'
import { useT } from '../i18n/index.ts'
import { attempt, notify } from '../ui/notices.tsx'

const AskDialog = lazy(() => import('./ask-dialog.tsx'))

/** The friend request between the user and a non-friend: sends one, shows its message, accepts one. */
export function RequestPart({ userId, name }: { userId: number; name: string }) {
  const t = useT()
  const chat = useChat()
  const [isAsking, setAsking] = useState(false)
  const incoming = useRequests('incoming').data?.find(({ from_user_id }) => from_user_id === userId)
  const outgoing = useRequests('outgoing').data?.find(({ to_user_id }) => to_user_id === userId)
  if (incoming) {
    const accept = () =>
      void attempt(async () => {
        await call(acceptFriendRequest, { params: { id: incoming.request_id } })
        notify(t('friends.accepted', { name }))
        for (const queryKey of [['requests'], keys.friends])
          await chat.queries.invalidateQueries({ queryKey })
      })
    return (
      <div className="request-part">
        <p>{t('friends.asksYou', { name })}</p>
        {incoming.message && <blockquote>{incoming.message}</blockquote>}
        <button type="button" className="primary" onClick={accept}>
          <Check size={18} aria-hidden="true" /> {t('friends.accept', { name })}
        </button>
      </div>
    )
  }
  if (outgoing) {
    return (
      <div className="request-part">
        <p className="quiet">{t('friends.asked')}</p>
        {outgoing.message && <blockquote>{outgoing.message}</blockquote>}
      </div>
    )
  }
  return (
    <>
      <button type="button" className="primary" onClick={() => setAsking(true)}>
        <UserPlus size={18} aria-hidden="true" /> {t('person.add')}
      </button>
      {isAsking && (
        <Suspense>
          <AskDialog userId={userId} name={name} onClose={() => setAsking(false)} />
        </Suspense>
      )}
    </>
  )
}
