import { acceptFriendInvite, getFriendInvite } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { call } from '../core/api.ts'
import { keys, useChat } from '../core/chat.ts'
import { useT } from '../i18n/index.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Failed } from '../ui/failed.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import { Page } from '../ui/page.tsx'
import { Spinner } from '../ui/spinner.tsx'
import '../styles/people.css'

/** Shows the owner of an invite link; the token is in the fragment. Opening an address alone sends no request. */
export default function InvitePage() {
  const t = useT()
  const chat = useChat()
  const [, navigate] = useLocation()
  const [isBusy, setBusy] = useState(false)
  const params = { token: location.hash.slice(1) || 'no-token' }
  const { data, error, refetch } = useQuery({
    queryKey: ['invite-of', params.token],
    queryFn: () => call(getFriendInvite, { params }),
    retry: false,
  })
  const ask = async () => {
    setBusy(true)
    await attempt(async () => {
      const { status, to_user_id } = await call(acceptFriendInvite, { params })
      notify(status === 'accepted' ? t('friends.nowFriends') : t('friends.requestSent'))
      for (const queryKey of [['requests'], keys.friends]) await chat.queries.invalidateQueries({ queryKey })
      navigate(`/friends/${to_user_id}`, { replace: true })
    })
    setBusy(false)
  }
  return (
    <Page title={t('friends.find')} back="/friends">
      {error && <Failed error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Spinner />}
      {data && (
        <div className="profile">
          <Avatar name={data.display_name} id={data.user_id} url={data.profile_image_url} size={112} />
          <h3>{data.display_name}</h3>
          <p className="quiet">@{data.username}</p>
          <div className="profile-actions">
            <button type="button" className="primary" disabled={isBusy} onClick={() => void ask()}>
              {t('person.add')}
            </button>
          </div>
        </div>
      )}
    </Page>
  )
}
