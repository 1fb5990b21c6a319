import type { Room } from '@bigtech/client'
import { Menu } from '../ui/menu.tsx'
import type { MenuAnchor } from '../ui/menu-item.ts'
import { useRoomActions } from './room-actions.tsx'

interface RoomMenuProps {
  readonly room: Room
  readonly anchor: MenuAnchor
  readonly onClose: () => void
}

/** The actions on a room, at a point. */
export default function RoomMenu({ room, anchor, onClose }: RoomMenuProps) {
  return <Menu label={room.title} anchor={anchor} items={useRoomActions(room)} onClose={onClose} />
}
