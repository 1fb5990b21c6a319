import type { Message } from '@bigtech/client'
import type { useMessageSearch } from '../core/use-message-search.ts'
import { useT } from '../i18n/index.ts'
import { FoundMessage } from '../room/found-message.tsx'
import { Empty } from '../ui/empty.tsx'
import { Failed } from '../ui/failed.tsx'
import { Spinner } from '../ui/spinner.tsx'

interface SearchResultsProps {
  readonly search: ReturnType<typeof useMessageSearch>
  readonly headingOf: (message: Message) => string
  readonly onOpen: (message: Message) => void
}

export function SearchResults({ search, headingOf, onOpen }: SearchResultsProps) {
  const t = useT()
  if (search.q === '') return null
  if (search.error) return <Failed error={search.error} onRetry={() => void search.refetch()} />
  if (search.isPending) return <Spinner />
  if (search.messages.length === 0) return <Empty title={t('search.nothing')} />
  return (
    <>
      <ul className="found">
        {search.messages.map((message) => (
          <li key={message.message_id}>
            <FoundMessage
              message={message}
              query={search.q}
              heading={headingOf(message)}
              onOpen={() => onOpen(message)}
            />
          </li>
        ))}
      </ul>
      {search.hasNextPage && (
        <button type="button" className="more" onClick={() => void search.fetchNextPage()}>
          {t('more')}
        </button>
      )}
    </>
  )
}
