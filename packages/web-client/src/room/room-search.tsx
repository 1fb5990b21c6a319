import { listMessages } from '@bigtech/client'
import { useId, useState } from 'react'
import { call } from '../core/api.ts'
import { useMessageSearch } from '../core/use-message-search.ts'
import { useT } from '../i18n/index.ts'
import { SearchResults } from '../search/search-results.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import { useNameOf, useOpenRoom } from './room-context.ts'

/** Finds messages of the room by words, or the first message of a day. */
export function RoomSearch() {
  const t = useT()
  const { roomId, window } = useOpenRoom()
  const nameOf = useNameOf()
  const [text, setText] = useState('')
  const search = useMessageSearch(text, roomId)
  return (
    <>
      <input
        type="search"
        value={text}
        onChange={(event) => setText(event.target.value)}
        placeholder={t('search.inRoom')}
        aria-label={t('search.inRoom')}
      />
      <JumpToDate />
      <SearchResults
        search={search}
        headingOf={({ user_id, username }) => nameOf(user_id, username)}
        onOpen={({ seq }) => void attempt(() => window.jumpTo(seq))}
      />
    </>
  )
}

function JumpToDate() {
  const t = useT()
  const id = useId()
  const { roomId, window } = useOpenRoom()
  const jump = (day: string) =>
    void attempt(async () => {
      const seq = day && (await firstSeqOf(roomId, window.headSeq, new Date(`${day}T00:00:00`).getTime()))
      if (seq) await window.jumpTo(seq)
      else if (day) notify(t('search.nothingThen'))
    })
  return (
    <p className="jump-to-date">
      <label htmlFor={id}>{t('search.jumpToDate')}</label>
      <input id={id} type="date" onChange={(event) => jump(event.target.value)} />
    </p>
  )
}

/** Returns the first message at or after a time, by binary search, because times are ascending within a room. */
async function firstSeqOf(roomId: number, headSeq: number, time: number): Promise<number | undefined> {
  let [low, high] = [1, headSeq]
  let found: number | undefined
  while (low <= high) {
    const middle = Math.floor((low + high) / 2)
    const { items } = await call(listMessages, {
      params: { room_id: roomId },
      query: { after_seq: middle - 1, limit: 1 },
    })
    const [message] = items
    if (!message) high = middle - 1
    else if (Date.parse(message.created_at) < time) low = message.seq + 1
    else {
      found = message.seq
      high = middle - 1
    }
  }
  return found
}
