import { listBlockedUsers, unblockUser } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { call } from '../core/api.ts'
import { allPages, keys, useChat } from '../core/chat.ts'
import { PersonRow } from '../friends/person-row.tsx'
import { useT } from '../i18n/index.ts'
import { Empty } from '../ui/empty.tsx'
import { Failed } from '../ui/failed.tsx'
import { attempt } from '../ui/notices.tsx'
import { Spinner } from '../ui/spinner.tsx'

export function BlockedSection() {
  const t = useT()
  const chat = useChat()
  const { data, error, refetch } = useQuery({
    queryKey: keys.blocked,
    queryFn: () => allPages((cursor) => call(listBlockedUsers, { query: { limit: 100, ...cursor } })),
  })
  const unblock = (user_id: number) =>
    void attempt(async () => {
      await call(unblockUser, { params: { user_id } })
      await chat.queries.invalidateQueries({ queryKey: keys.blocked })
    })
  if (error) return <Failed error={error} onRetry={() => void refetch()} />
  if (!data) return <Spinner />
  if (data.length === 0) return <Empty title={t('blocked.none')} />
  return (
    <ul className="people">
      {data.map((person) => (
        <li key={person.user_id}>
          <PersonRow person={person}>
            <button type="button" onClick={() => unblock(person.user_id)}>
              {t('blocked.unblock')}
            </button>
          </PersonRow>
        </li>
      ))}
    </ul>
  )
}
