import { listFriendSuggestions, searchUsers } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { QrCode, UserPlus } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { call } from '../core/api.ts'
import { keys, useChat } from '../core/chat.ts'
import { useFriends, useRequests } from '../core/queries.ts'
import { useSettled } from '../core/use-message-search.ts'
import { useT } from '../i18n/index.ts'
import { Empty } from '../ui/empty.tsx'
import { Failed } from '../ui/failed.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { Page } from '../ui/page.tsx'
import { Spinner } from '../ui/spinner.tsx'
import { PersonRow } from './person-row.tsx'
import { useAsk } from './use-ask.ts'
import '../styles/people.css'

const InviteDialog = lazy(() => import('./invite-dialog.tsx'))

/** Searches users by name or email address; shows suggestions for an empty query. */
export default function FindPeoplePage() {
  const t = useT()
  const [text, setText] = useState('')
  const [isInviting, setInviting] = useState(false)
  const q = useSettled(text.trim())
  return (
    <Page title={t('friends.find')} back="/friends">
      <input
        type="search"
        value={text}
        // biome-ignore lint/a11y/noAutofocus: the search field is the purpose of the page
        autoFocus
        onChange={(event) => setText(event.target.value)}
        placeholder={t('friends.searchPlaceholder')}
        aria-label={t('friends.searchPlaceholder')}
      />
      <button type="button" className="row-link" onClick={() => setInviting(true)}>
        <QrCode size={18} aria-hidden="true" /> {t('invite.title')}
      </button>
      {isInviting && (
        <Suspense>
          <InviteDialog onClose={() => setInviting(false)} />
        </Suspense>
      )}
      {q ? <Found q={q} /> : <Suggestions />}
    </Page>
  )
}

function Found({ q }: { q: string }) {
  const t = useT()
  const { userId } = useChat()
  const { data, error, refetch } = useQuery({
    queryKey: ['people', q],
    queryFn: () => call(searchUsers, { query: { q, limit: 30 } }),
  })
  if (error) return <Failed error={error} onRetry={() => void refetch()} />
  if (!data) return <Spinner />
  const others = data.items.filter(({ user_id }) => user_id !== userId)
  if (others.length === 0) return <Empty title={t('friends.nobodyFound')} />
  return (
    <ul className="people">
      {others.map((person) => (
        <li key={person.user_id}>
          <PersonRow person={person}>
            <AskButton userId={person.user_id} name={person.display_name} />
          </PersonRow>
        </li>
      ))}
    </ul>
  )
}

function Suggestions() {
  const t = useT()
  const { data } = useQuery({
    queryKey: keys.suggestions,
    queryFn: () => call(listFriendSuggestions, { query: { limit: 30 } }),
  })
  if (!data?.items.length) return <p className="quiet">{t('friends.searchHint')}</p>
  return (
    <section>
      <h3>{t('friends.suggestions')}</h3>
      <ul className="people">
        {data.items.map((person) => (
          <li key={person.user_id}>
            <PersonRow
              person={{ ...person, status_message: t('friends.mutual', { count: person.mutual_friends }) }}
            >
              <AskButton userId={person.user_id} name={person.display_name} />
            </PersonRow>
          </li>
        ))}
      </ul>
    </section>
  )
}

function AskButton({ userId, name }: { userId: number; name: string }) {
  const t = useT()
  const ask = useAsk()
  const friends = useFriends().data ?? []
  const asked = useRequests('outgoing').data ?? []
  if (friends.some(({ user_id }) => user_id === userId))
    return <span className="quiet">{t('friends.already')}</span>
  if (asked.some(({ to_user_id }) => to_user_id === userId))
    return <span className="quiet">{t('friends.asked')}</span>
  return (
    <IconButton label={t('friends.ask', { name })} onClick={() => void ask(userId)}>
      <UserPlus size={18} />
    </IconButton>
  )
}
