import type { Room } from '@bigtech/client'
import { AtSign, BellOff, Ellipsis, Pin } from 'lucide-react'
import { type MouseEvent, memo, Suspense, useState } from 'react'
import { Link } from 'wouter'
import { useChat } from '../core/chat.ts'
import { draftOf, drafts } from '../core/drafts.ts'
import { useStore } from '../core/store.ts'
import { shortTime } from '../core/times.ts'
import { useLanguage, useT } from '../i18n/index.ts'
import { lazyWithTexts } from '../i18n/lazy-with-texts.tsx'
import { Avatar } from '../ui/avatar.tsx'
import { CountBadge } from '../ui/count-badge.tsx'
import { anchorOf, type MenuAnchor } from '../ui/menu-item.ts'

const RoomMenu = lazyWithTexts('pages', () => import('./room-menu.tsx'))

interface RoomRowProps {
  readonly room: Room
  readonly to: string
  readonly isOpen: boolean
}

export const RoomRow = memo(function RoomRow({ room, to, isOpen }: RoomRowProps) {
  const t = useT()
  const language = useLanguage()
  const [menu, setMenu] = useState<MenuAnchor>()
  const openMenu = (event: MouseEvent<HTMLElement>) => {
    event.preventDefault()
    setMenu(anchorOf(event))
  }
  return (
    <div className="room-row" data-open={isOpen || undefined} data-room-id={room.room_id}>
      <Link to={to} aria-current={isOpen ? 'page' : undefined} onContextMenu={openMenu}>
        <Avatar name={room.title} id={room.peer?.user_id ?? room.room_id} url={imageOf(room)} size={48} />
        <span className="room-row-text">
          <span className="room-row-title">
            <span className="name">{room.title}</span>
            {room.room_type === 'group' && <span className="member-count">{room.member_count}</span>}
            <Marks room={room} />
            <time>{room.last_message_at ? shortTime(room.last_message_at, language) : ''}</time>
          </span>
          <span className="room-row-preview">
            <Preview room={room} />
            {room.mention_count > 0 && (
              <span className="mention-mark">
                <AtSign size={14} aria-hidden="true" />
                <span className="visually-hidden">{t('rooms.mentioned')}</span>
              </span>
            )}
            <CountBadge
              count={room.unread_count}
              isQuiet={room.muted || room.restricted}
              label={t('rooms.unread', { count: room.unread_count })}
            />
          </span>
        </span>
      </Link>
      <button
        type="button"
        className="icon-button room-row-more"
        aria-label={t('rooms.actions', { title: room.title })}
        aria-haspopup="menu"
        onClick={openMenu}
      >
        <Ellipsis size={18} />
      </button>
      {menu && (
        <Suspense>
          <RoomMenu room={room} anchor={menu} onClose={() => setMenu(undefined)} />
        </Suspense>
      )}
    </div>
  )
})

function Marks({ room }: { room: Room }) {
  const t = useT()
  return (
    <span className="marks">
      {room.pinned && <Pin size={13} aria-label={t('rooms.pinned')} role="img" />}
      {room.muted && <BellOff size={13} aria-label={t('rooms.muted')} role="img" />}
    </span>
  )
}

function Preview({ room }: { room: Room }) {
  const t = useT()
  const { userId } = useChat()
  useStore(drafts)
  const draft = draftOf(userId, room.room_id)
  if (draft) {
    return (
      <span className="preview">
        <strong className="draft-mark">{t('rooms.draft')}</strong> {draft}
      </span>
    )
  }
  return <span className="preview">{previewText(room, t)}</span>
}

const typeNames = {
  text: 'message.roomChanged',
  system: 'message.roomChanged',
  image: 'message.picture',
  file: 'message.file',
  voice: 'message.voice',
  video: 'message.video',
} as const

function previewText(room: Room, t: ReturnType<typeof useT>): string {
  const { last_message_preview: text, last_message_type: type } = room
  if (text) return text
  if (type === null) return t('rooms.empty')
  if (text === null) return t('message.deleted')
  return t(typeNames[type])
}

function imageOf(room: Room): string | null {
  return room.image_url ?? room.peer?.profile_image_url ?? null
}
