import { useState } from 'react'
import { useLocation } from 'wouter'
import { useNames, useRooms } from '../core/queries.ts'
import { useMessageSearch } from '../core/use-message-search.ts'
import { useT } from '../i18n/index.ts'
import { Page } from '../ui/page.tsx'
import { SearchResults } from './search-results.tsx'

/** Searches the messages of all rooms. */
export default function SearchPage() {
  const t = useT()
  const [, navigate] = useLocation()
  const [text, setText] = useState('')
  const search = useMessageSearch(text)
  const rooms = useRooms().data ?? []
  const names = useNames([...new Set(search.messages.map(({ user_id }) => user_id))])
  return (
    <Page title={t('search.open')} back="/rooms">
      <input
        type="search"
        value={text}
        // biome-ignore lint/a11y/noAutofocus: the search field is the purpose of the page
        autoFocus
        onChange={(event) => setText(event.target.value)}
        placeholder={t('search.placeholder')}
        aria-label={t('search.placeholder')}
      />
      <SearchResults
        search={search}
        headingOf={({ room_id, user_id }) => {
          const title = rooms.find((room) => room.room_id === room_id)?.title
          return [title, names?.get(user_id)].filter(Boolean).join(' · ')
        }}
        onOpen={({ room_id, seq }) => navigate(`/rooms/${room_id}?at=${seq}`)}
      />
    </Page>
  )
}
