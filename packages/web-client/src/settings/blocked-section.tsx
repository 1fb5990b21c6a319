import { listBlockedUsers, listRestrictedUsers, unblockUser, unrestrictUser } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { call } from '../core/api.ts'
import { allPages, keys, useChat } from '../core/chat.ts'
import { type Person, PersonRow } from '../friends/person-row.tsx'
import { restrictedKey } from '../friends/restricted-key.ts'
import { type TextKey, useT } from '../i18n/index.ts'
import { Empty } from '../ui/empty.tsx'
import { Failed } from '../ui/failed.tsx'
import { attempt } from '../ui/notices.tsx'
import { Spinner } from '../ui/spinner.tsx'

interface SectionProps {
  readonly queryKey: readonly string[]
  readonly list: (cursor: { cursor?: string }) => Promise<{ items: Person[]; next_cursor: string | null }>
  readonly end: (params: { user_id: number }) => Promise<unknown>
  readonly none: TextKey
  readonly action: TextKey
}

function PeopleSection({ queryKey, list, end, none, action }: SectionProps) {
  const t = useT()
  const chat = useChat()
  const { data, error, refetch } = useQuery({
    queryKey,
    queryFn: () => allPages(list),
  })
  const remove = (user_id: number) =>
    void attempt(async () => {
      await end({ user_id })
      await chat.queries.invalidateQueries({ queryKey })
    })
  if (error) return <Failed error={error} onRetry={() => void refetch()} />
  if (!data) return <Spinner />
  if (data.length === 0) return <Empty title={t(none)} />
  return (
    <ul className="people">
      {data.map((person) => (
        <li key={person.user_id}>
          <PersonRow person={person}>
            <button type="button" onClick={() => remove(person.user_id)}>
              {t(action)}
            </button>
          </PersonRow>
        </li>
      ))}
    </ul>
  )
}

export function BlockedSection() {
  return (
    <PeopleSection
      queryKey={keys.blocked}
      list={(cursor) => call(listBlockedUsers, { query: { limit: 100, ...cursor } })}
      end={(params) => call(unblockUser, { params })}
      none="blocked.none"
      action="blocked.unblock"
    />
  )
}

export function RestrictedSection() {
  return (
    <PeopleSection
      queryKey={restrictedKey}
      list={(cursor) => call(listRestrictedUsers, { query: { limit: 100, ...cursor } })}
      end={(params) => call(unrestrictUser, { params })}
      none="restricted.none"
      action="restricted.end"
    />
  )
}
