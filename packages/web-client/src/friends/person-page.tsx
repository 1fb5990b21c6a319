import {
  blockUser,
  getUser,
  listRestrictedUsers,
  openDirectRoom,
  removeFriend,
  restrictUser,
  unrestrictUser,
} from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { Ban, Eye, EyeOff, Flag, MessageCircle, UserMinus } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useLocation } from 'wouter'
import { call } from '../core/api.ts'
import { allPages, keys, useChat } from '../core/chat.ts'
import { useFriends } from '../core/queries.ts'
import { useT } from '../i18n/index.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Failed } from '../ui/failed.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import { Page } from '../ui/page.tsx'
import { Spinner } from '../ui/spinner.tsx'
import { FriendNotes } from './friend-notes.tsx'
import { RequestPart } from './request-part.tsx'
import { restrictedKey } from './restricted-key.ts'
import '../styles/moderation.css'

const Confirm = lazy(() => import('../ui/confirm.tsx'))
const ReportDialog = lazy(() => import('../moderation/report-dialog.tsx'))

/** A user's profile with the available actions. */
export default function PersonPage({ userId }: { userId: number }) {
  const t = useT()
  const params = { user_id: userId }
  const { data, error, refetch } = useQuery({
    queryKey: keys.user(userId),
    queryFn: () => call(getUser, { params }),
  })
  const friend = useFriends().data?.find(({ user_id }) => user_id === userId)
  return (
    <Page title={data?.display_name ?? ''} back="/friends">
      {error && <Failed error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Spinner />}
      {data && (
        <div className="profile">
          <Avatar
            name={data.display_name}
            id={userId}
            url={data.profile_image_url}
            size={112}
            online={friend?.online}
          />
          <h3>{friend?.nickname ?? data.display_name}</h3>
          <p className="quiet">
            {friend?.nickname && `${data.display_name} · `}@{data.username}
          </p>
          {friend?.online && <p className="is-online">{t('presence.online')}</p>}
          {data.status_message && <p className="status-message">{data.status_message}</p>}
          <Actions userId={userId} name={data.display_name} isFriend={friend !== undefined} />
          {friend && <FriendNotes friend={friend} />}
        </div>
      )}
    </Page>
  )
}

function useRestricted(userId: number): boolean {
  const { data } = useQuery({
    queryKey: restrictedKey,
    queryFn: () => allPages((cursor) => call(listRestrictedUsers, { query: { limit: 100, ...cursor } })),
  })
  return data?.some(({ user_id }) => user_id === userId) ?? false
}

interface ActionsProps {
  readonly userId: number
  readonly name: string
  readonly isFriend: boolean
}

function Actions({ userId, name, isFriend }: ActionsProps) {
  const t = useT()
  const chat = useChat()
  const [, navigate] = useLocation()
  const [asking, setAsking] = useState<'remove' | 'restrict' | 'block' | 'report'>()
  const isRestricted = useRestricted(userId)
  const params = { user_id: userId }
  if (userId === chat.userId) return null
  const open = () =>
    void attempt(async () => {
      const room = await call(openDirectRoom, { params })
      chat.putRoom(room)
      navigate(`/rooms/${room.room_id}`)
    })
  const change =
    (
      operation: typeof removeFriend | typeof blockUser | typeof restrictUser | typeof unrestrictUser,
      said: string,
    ) =>
    () =>
      void attempt(async () => {
        await call(operation, { params })
        notify(said)
        for (const queryKey of [keys.friends, keys.blocked])
          await chat.queries.invalidateQueries({ queryKey })
      })
  return (
    <div className="profile-actions">
      {isFriend ? (
        <button type="button" className="primary" onClick={open}>
          <MessageCircle size={18} aria-hidden="true" /> {t('person.message')}
        </button>
      ) : (
        <RequestPart userId={userId} name={name} />
      )}
      {isFriend && (
        <button type="button" onClick={() => setAsking('remove')}>
          <UserMinus size={18} aria-hidden="true" /> {t('person.remove')}
        </button>
      )}
      {isRestricted ? (
        <button type="button" onClick={change(unrestrictUser, t('person.unrestricted', { name }))}>
          <Eye size={18} aria-hidden="true" /> {t('restricted.end')}
        </button>
      ) : (
        <button type="button" onClick={() => setAsking('restrict')}>
          <EyeOff size={18} aria-hidden="true" /> {t('person.restrict')}
        </button>
      )}
      <button type="button" className="danger" onClick={() => setAsking('block')}>
        <Ban size={18} aria-hidden="true" /> {t('person.block')}
      </button>
      <button type="button" className="danger" onClick={() => setAsking('report')}>
        <Flag size={18} aria-hidden="true" /> {t('report.action')}
      </button>
      <Suspense>
        {asking === 'remove' && (
          <Confirm
            title={t('person.remove')}
            text={t('person.removeText', { name })}
            action={t('person.remove')}
            onConfirm={change(removeFriend, t('person.removed', { name }))}
            onClose={() => setAsking(undefined)}
          />
        )}
        {asking === 'restrict' && (
          <Confirm
            title={t('person.restrict')}
            text={t('person.restrictText', { name })}
            action={t('person.restrict')}
            onConfirm={change(restrictUser, t('person.restricted', { name }))}
            onClose={() => setAsking(undefined)}
          />
        )}
        {asking === 'report' && (
          <ReportDialog subject={params} name={name} onClose={() => setAsking(undefined)} />
        )}
        {asking === 'block' && (
          <Confirm
            title={t('person.block')}
            text={t('person.blockText', { name })}
            action={t('person.block')}
            onConfirm={change(blockUser, t('person.blocked', { name }))}
            onClose={() => setAsking(undefined)}
          />
        )}
      </Suspense>
    </div>
  )
}
