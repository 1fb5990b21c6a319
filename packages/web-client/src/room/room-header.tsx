import { Ellipsis, Info, Search } from 'lucide-react'
import { type MouseEvent, Suspense, useState } from 'react'
import { useLocation } from 'wouter'
import { useFriends } from '../core/queries.ts'
import { ago } from '../core/times.ts'
import { useLanguage, useT } from '../i18n/index.ts'
import { lazyWithTexts } from '../i18n/lazy-with-texts.tsx'
import { Avatar } from '../ui/avatar.tsx'
import { BackLink } from '../ui/back-link.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { anchorOf, type MenuAnchor } from '../ui/menu-item.ts'
import { useRoomState } from './room-context.ts'

const RoomMenu = lazyWithTexts('pages', () => import('../rooms/room-menu.tsx'))

export function RoomHeader() {
  const t = useT()
  const { room } = useRoomState()
  const [path, navigate] = useLocation()
  const [menu, setMenu] = useState<MenuAnchor>()
  const base = path.startsWith('/archived') ? '/archived' : '/rooms'
  const toggle = (panel: string) => {
    const isOpen = path.endsWith(`/${panel}`)
    navigate(`${base}/${room.room_id}${isOpen ? '' : `/${panel}`}`, { replace: isOpen })
  }
  return (
    <header className="room-header">
      <BackLink to={base} />
      <Avatar
        name={room.title}
        id={room.peer?.user_id ?? room.room_id}
        url={room.image_url ?? room.peer?.profile_image_url}
        size={38}
      />
      <div className="room-header-text">
        <h2>{room.title}</h2>
        <Subtitle />
      </div>
      <IconButton label={t('room.search')} onClick={() => toggle('search')}>
        <Search size={20} />
      </IconButton>
      <IconButton label={t('room.info')} onClick={() => toggle('info')}>
        <Info size={20} />
      </IconButton>
      <IconButton
        label={t('rooms.actions', { title: room.title })}
        aria-haspopup="menu"
        onClick={(event: MouseEvent<HTMLButtonElement>) => setMenu(anchorOf(event))}
      >
        <Ellipsis size={20} />
      </IconButton>
      {menu && (
        <Suspense>
          <RoomMenu room={room} anchor={menu} onClose={() => setMenu(undefined)} />
        </Suspense>
      )}
    </header>
  )
}

/** The presence of the other user, or the number of members of a group. */
function Subtitle() {
  const t = useT()
  const language = useLanguage()
  const { room } = useRoomState()
  const friends = useFriends().data
  if (room.room_type === 'group') return <p>{t('room.members', { count: room.member_count })}</p>
  const friend = friends?.find(({ user_id }) => user_id === room.peer?.user_id)
  if (!friend || friend.online === null) return null
  if (friend.online) return <p className="is-online">{t('presence.online')}</p>
  return friend.last_seen_at ? (
    <p>{t('presence.lastSeen', { when: ago(friend.last_seen_at, language) })}</p>
  ) : null
}
