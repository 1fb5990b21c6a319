import { Pin } from 'lucide-react'
import { Link, useLocation } from 'wouter'
import { usePins } from '../core/queries.ts'
import { useT } from '../i18n/index.ts'
import { useRoomActions } from '../rooms/room-actions.tsx'
import { Avatar } from '../ui/avatar.tsx'
import { GroupDanger } from './group-danger.tsx'
import { GroupSettings } from './group-settings.tsx'
import { MemberList } from './member-list.tsx'
import { useOpenRoom, useRoomState } from './room-context.ts'
import { RoomLinks } from './room-links.tsx'
import { RoomTools } from './room-tools.tsx'
import '../styles/moderation.css'

/** The details, members and settings of a room. */
export function RoomInfo() {
  const t = useT()
  const { room } = useRoomState()
  const isGroup = room.room_type === 'group'
  const mayManage = isGroup && room.role !== 'member'
  return (
    <div className="room-info">
      <div className="room-info-head">
        <Avatar
          name={room.title}
          id={room.peer?.user_id ?? room.room_id}
          url={room.image_url ?? room.peer?.profile_image_url}
          size={88}
        />
        <h3>{room.title}</h3>
        {room.peer && <Link to={`/friends/${room.peer.user_id}`}>{t('person.open')}</Link>}
      </div>
      <OwnSettings />
      <PinsLink />
      {mayManage && <GroupSettings />}
      {isGroup && <MemberList />}
      {mayManage && <RoomLinks />}
      {mayManage && <RoomTools />}
      {isGroup && <GroupDanger />}
    </div>
  )
}

function OwnSettings() {
  const { room } = useRoomState()
  const actions = useRoomActions(room)
  return (
    <div className="tile-row">
      {actions.slice(0, 3).map(({ label, icon, onSelect }) => (
        <button key={label} type="button" className="tile" onClick={onSelect}>
          {icon}
          {label}
        </button>
      ))}
    </div>
  )
}

function PinsLink() {
  const t = useT()
  const { roomId } = useOpenRoom()
  const [path] = useLocation()
  const count = usePins(roomId).data?.length ?? 0
  return (
    <Link to={`${path.slice(0, path.lastIndexOf('/'))}/pins`} className="row-link">
      <Pin size={18} aria-hidden="true" />
      {t('pins.count', { count })}
    </Link>
  )
}
