import { type AnswerOf, listMyActivities } from '@bigtech/client'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { call } from '../core/api.ts'
import { useNames } from '../core/queries.ts'
import { dateAndTime } from '../core/times.ts'
import { type TextKey, useLanguage, useT } from '../i18n/index.ts'
import { Failed } from '../ui/failed.tsx'
import { Spinner } from '../ui/spinner.tsx'

type Activity = AnswerOf<typeof listMyActivities>['items'][number]

/** Sign-ins and other activities of the account, newest first. */
export default function ActivitySection() {
  const t = useT()
  const { data, error, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ['activities'],
    queryFn: ({ pageParam }) =>
      call(listMyActivities, { query: { limit: 30, ...(pageParam ? { cursor: pageParam } : {}) } }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
    staleTime: 0,
  })
  const activities = data?.pages.flatMap(({ items }) => items) ?? []
  const friends = activities.flatMap((activity) => friendOf(activity) ?? [])
  const names = useNames([...new Set(friends)].slice(0, 200))
  if (error) return <Failed error={error} onRetry={() => void refetch()} />
  if (!data) return <Spinner />
  return (
    <>
      <p>
        {t('activity.text')} <Link to="/settings/sessions">{t('activity.check')}</Link>
      </p>
      <ul className="sessions activities">
        {activities.map((activity) => (
          <Row key={activity.activity_id} activity={activity} name={names?.get(friendOf(activity) ?? 0)} />
        ))}
      </ul>
      {hasNextPage && (
        <button type="button" className="more" onClick={() => void fetchNextPage()}>
          {t('more')}
        </button>
      )}
    </>
  )
}

/** Returns the user id of a new friend. */
function friendOf({ type, data }: Activity): number | undefined {
  return type === 'friend_added' && typeof data.user_id === 'number' ? data.user_id : undefined
}

function Row({ activity, name }: { activity: Activity; name: string | undefined }) {
  const t = useT()
  const language = useLanguage()
  const { type, description, device, ip_prefix, created_at } = activity
  const key = `activity.${type}` as TextKey
  const text = t(key)
  const details = [device, ip_prefix, dateAndTime(created_at, language)].filter(Boolean)
  return (
    <li>
      <span className="person-text">
        <span>
          {/* A type of a newer server has no text here. */}
          {text === key ? description : text}
          {name && `: ${name}`}
        </span>
        <span className="quiet">{details.join(' · ')}</span>
      </span>
    </li>
  )
}
