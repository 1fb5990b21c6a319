import type { Room } from '@bigtech/client'
import { useVirtualizer } from '@tanstack/react-virtual'
import { Search, SquarePen } from 'lucide-react'
import { useDeferredValue, useRef, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { useArchivedRooms, useRooms } from '../core/queries.ts'
import { useT } from '../i18n/index.ts'
import { Empty } from '../ui/empty.tsx'
import { Failed } from '../ui/failed.tsx'
import { Spinner } from '../ui/spinner.tsx'
import { RoomRow } from './room-row.tsx'

const ROW_HEIGHT = 72

/** The rooms, pinned ones first, then newest activity first. */
export function RoomList({ isArchive }: { isArchive: boolean }) {
  const t = useT()
  const [filter, setFilter] = useState('')
  return (
    <>
      <header className="list-header">
        <h1>{isArchive ? t('nav.archived') : t('nav.chats')}</h1>
        <Link to="/search" className="icon-button" aria-label={t('search.open')} title={t('search.open')}>
          <Search size={20} />
        </Link>
        <Link to="/new-group" className="icon-button" aria-label={t('group.new')} title={t('group.new')}>
          <SquarePen size={20} />
        </Link>
      </header>
      <div className="list-filter">
        <input
          type="search"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          placeholder={t('rooms.filter')}
          aria-label={t('rooms.filter')}
        />
      </div>
      {isArchive ? <Archived filter={filter} /> : <Current filter={filter} />}
    </>
  )
}

function Current({ filter }: { filter: string }) {
  const { data, error, refetch } = useRooms()
  return <Rooms rooms={data} error={error} retry={() => void refetch()} filter={filter} base="/rooms" />
}

function Archived({ filter }: { filter: string }) {
  const { data, error, refetch } = useArchivedRooms()
  return <Rooms rooms={data} error={error} retry={() => void refetch()} filter={filter} base="/archived" />
}

interface RoomsProps {
  readonly rooms: Room[] | undefined
  readonly error: unknown
  readonly retry: () => void
  readonly filter: string
  readonly base: '/rooms' | '/archived'
}

function Rooms({ rooms, error, retry, filter, base }: RoomsProps) {
  const t = useT()
  const wanted = useDeferredValue(filter.trim().toLowerCase())
  if (!rooms) return error ? <Failed error={error} onRetry={retry} /> : <Spinner />
  const shown = wanted ? rooms.filter(({ title }) => title.toLowerCase().includes(wanted)) : rooms
  if (shown.length > 0) return <VirtualRooms rooms={shown} base={base} />
  if (wanted) return <Empty title={t('rooms.noMatch')} />
  if (base === '/archived') return <Empty title={t('rooms.noArchived')} />
  return (
    <Empty title={t('rooms.none')}>
      <Link to="/friends/find" className="button primary">
        {t('friends.find')}
      </Link>
    </Empty>
  )
}

function VirtualRooms({ rooms, base }: { rooms: readonly Room[]; base: string }) {
  const t = useT()
  const [path] = useLocation()
  const scroller = useRef<HTMLDivElement>(null)
  const virtualizer = useVirtualizer({
    count: rooms.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => rooms[index]?.room_id ?? index,
    overscan: 8,
  })
  const openId = Number(/^\/(?:rooms|archived)\/(\d+)/.exec(path)?.[1])
  return (
    <div ref={scroller} className="list-scroll">
      <ul className="rooms" aria-label={t('nav.chats')} style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ key, index, start }) => {
          const room = rooms[index]
          if (!room) return null
          return (
            <li key={key} style={{ transform: `translateY(${start}px)` }}>
              <RoomRow room={room} to={`${base}/${room.room_id}`} isOpen={room.room_id === openId} />
            </li>
          )
        })}
      </ul>
    </div>
  )
}
