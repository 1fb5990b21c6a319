import {
  type AnswerOf,
  acceptFriendRequest,
  cancelFriendRequest,
  type listFriends,
  rejectFriendRequest,
} from '@bigtech/client'
import { Check, UserPlus, X } from 'lucide-react'
import { Fragment, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { call } from '../core/api.ts'
import { keys, useChat } from '../core/chat.ts'
import { matchesName } from '../core/matches-name.ts'
import { useFriends, useIncomingRequests, useRequests } from '../core/queries.ts'
import { useT } from '../i18n/index.ts'
import { Empty } from '../ui/empty.tsx'
import { Failed } from '../ui/failed.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import { Spinner } from '../ui/spinner.tsx'
import { PersonRow } from './person-row.tsx'
import '../styles/people.css'

type Friend = AnswerOf<typeof listFriends>['items'][number]

/** Friends, with the requests of both directions above them. */
export default function FriendList() {
  const t = useT()
  const [filter, setFilter] = useState('')
  return (
    <>
      <header className="list-header">
        <h1>{t('nav.friends')}</h1>
        <Link
          to="/friends/find"
          className="icon-button"
          aria-label={t('friends.find')}
          title={t('friends.find')}
        >
          <UserPlus size={20} />
        </Link>
      </header>
      <div className="list-filter">
        <input
          type="search"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          placeholder={t('friends.filter')}
          aria-label={t('friends.filter')}
        />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard */}
      <section className="list-scroll" tabIndex={0} aria-label={t('nav.friends')}>
        <Incoming />
        <Outgoing />
        <Friends filter={filter} />
      </section>
    </>
  )
}

function useAnswer() {
  const chat = useChat()
  return (
    operation: typeof acceptFriendRequest | typeof rejectFriendRequest | typeof cancelFriendRequest,
    id: number,
  ) =>
    attempt(async () => {
      await call(operation, { params: { id } })
      await Promise.all([
        chat.queries.invalidateQueries({ queryKey: ['requests'] }),
        chat.queries.invalidateQueries({ queryKey: keys.friends }),
      ])
    })
}

function Incoming() {
  const t = useT()
  const answer = useAnswer()
  const requests = useIncomingRequests().data ?? []
  if (requests.length === 0) return null
  const accept = async (id: number, name: string) => {
    if (await answer(acceptFriendRequest, id)) notify(t('friends.accepted', { name }))
  }
  return (
    <section>
      <h2 className="list-section">{t('friends.incoming', { count: requests.length })}</h2>
      <ul className="people">
        {requests.map(({ request_id, user, message }) => (
          <li key={request_id}>
            <PersonRow person={{ ...user, status_message: message ?? user.status_message }}>
              <IconButton
                className="accept"
                label={t('friends.accept', { name: user.display_name })}
                onClick={() => void accept(request_id, user.display_name)}
              >
                <Check size={18} />
              </IconButton>
              <IconButton
                label={t('friends.reject', { name: user.display_name })}
                onClick={() => void answer(rejectFriendRequest, request_id)}
              >
                <X size={18} />
              </IconButton>
            </PersonRow>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Outgoing() {
  const t = useT()
  const answer = useAnswer()
  const requests = useRequests('outgoing').data ?? []
  if (requests.length === 0) return null
  return (
    <section>
      <h2 className="list-section">{t('friends.outgoing', { count: requests.length })}</h2>
      <ul className="people">
        {requests.map(({ request_id, user, message }) => (
          <li key={request_id}>
            <PersonRow person={{ ...user, status_message: message ?? user.status_message }}>
              <IconButton
                label={t('friends.cancel', { name: user.display_name })}
                onClick={() => void answer(cancelFriendRequest, request_id)}
              >
                <X size={18} />
              </IconButton>
            </PersonRow>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Friends({ filter }: { filter: string }) {
  const t = useT()
  const [isShowingHidden, setShowingHidden] = useState(false)
  const { data, error, refetch } = useFriends()
  if (error) return <Failed error={error} onRetry={() => void refetch()} />
  if (!data) return <Spinner />
  if (data.length === 0) {
    return (
      <Empty title={t('friends.none')}>
        <Link to="/friends/find" className="button primary">
          {t('friends.find')}
        </Link>
      </Empty>
    )
  }
  const found = data.filter(({ nickname, display_name, username }) =>
    matchesName(filter, nickname ?? display_name, `${display_name} ${username}`),
  )
  // A search also finds hidden friends.
  const listed = filter ? found : found.filter(({ hidden }) => !hidden)
  const others = listed.filter(({ favourite }) => !favourite)
  const parts: [title: string, friends: typeof found, isIndexed?: boolean][] = [
    [t('friends.favourites'), listed.filter(({ favourite }) => favourite)],
    [t('friends.count', { count: data.length }), others, !filter],
    [t('friends.hidden'), filter || !isShowingHidden ? [] : found.filter(({ hidden }) => hidden)],
  ]
  const hasHidden = !filter && data.some(({ hidden }) => hidden)
  return (
    <>
      {parts.map(
        ([title, friends, isIndexed]) =>
          friends.length > 0 && (
            <section key={title}>
              <h2 className="list-section">{title}</h2>
              {byLetter(friends, isIndexed).map(([letter, each]) => (
                <Fragment key={letter}>
                  {letter && <h3 className="list-letter">{letter}</h3>}
                  <People friends={each} />
                </Fragment>
              ))}
            </section>
          ),
      )}
      {hasHidden && (
        <button
          type="button"
          className="row-link"
          aria-expanded={isShowingHidden}
          onClick={() => setShowingHidden((isShown) => !isShown)}
        >
          {t('friends.showHidden')}
        </button>
      )}
    </>
  )
}

/** Returns friends grouped by index letter, in the order of the list; one unnamed group without an index. */
function byLetter(friends: readonly Friend[], isIndexed = false): [letter: string, friends: Friend[]][] {
  return [...Map.groupBy(friends, ({ index_letter }) => (isIndexed ? index_letter : ''))]
}

function People({ friends }: { friends: readonly Friend[] }) {
  const [path] = useLocation()
  return (
    <ul className="people">
      {friends.map((friend) => (
        <li key={friend.user_id}>
          <PersonRow
            person={{ ...friend, display_name: friend.nickname ?? friend.display_name }}
            isOpen={path === `/friends/${friend.user_id}`}
          />
        </li>
      ))}
    </ul>
  )
}
