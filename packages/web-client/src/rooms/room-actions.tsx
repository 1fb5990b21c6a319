import { markRead, type Room, updateRoomSettings } from '@bigtech/client'
import { Archive, ArchiveRestore, Bell, BellOff, CheckCheck, Pin, PinOff } from 'lucide-react'
import { call } from '../core/api.ts'
import { useChat } from '../core/chat.ts'
import { useT } from '../i18n/index.ts'
import type { MenuItem } from '../ui/menu-item.ts'
import { attempt } from '../ui/notices.tsx'

type Settings = { pinned?: boolean; muted?: boolean; archived?: boolean }

/** Returns the actions on a room, for the list and its page. */
export function useRoomActions(room: Room): MenuItem[] {
  const t = useT()
  const chat = useChat()
  const set = (settings: Settings) =>
    void attempt(async () => {
      await call(updateRoomSettings, { params: { room_id: room.room_id }, body: settings })
      await chat.refreshRoom(room.room_id)
    })
  const read = () =>
    void attempt(() => call(markRead, { params: { room_id: room.room_id }, body: { seq: room.last_seq } }))
  const items: MenuItem[] = [
    room.pinned
      ? { label: t('rooms.unpin'), icon: <PinOff size={18} />, onSelect: () => set({ pinned: false }) }
      : { label: t('rooms.pin'), icon: <Pin size={18} />, onSelect: () => set({ pinned: true }) },
    room.muted
      ? { label: t('rooms.unmute'), icon: <Bell size={18} />, onSelect: () => set({ muted: false }) }
      : { label: t('rooms.mute'), icon: <BellOff size={18} />, onSelect: () => set({ muted: true }) },
    room.archived
      ? {
          label: t('rooms.unarchive'),
          icon: <ArchiveRestore size={18} />,
          onSelect: () => set({ archived: false }),
        }
      : { label: t('rooms.archive'), icon: <Archive size={18} />, onSelect: () => set({ archived: true }) },
  ]
  if (room.unread_count > 0)
    items.push({ label: t('rooms.markRead'), icon: <CheckCheck size={18} />, onSelect: read })
  return items
}
