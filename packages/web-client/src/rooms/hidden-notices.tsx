import type { Message, Room, StreamFrame } from '@bigtech/client'
import { useEffect } from 'react'
import { useChat } from '../core/chat.ts'
import { useRooms } from '../core/queries.ts'
import { useT } from '../i18n/index.ts'

/**
 * Shows a notification for a message that arrives while no tab is visible. The server pushes only to users
 * without an open stream, and a hidden tab has one. Several tabs show one notification, because those of a
 * room share a tag.
 */
export function HiddenNotices() {
  const t = useT()
  const chat = useChat()
  const rooms = useRooms().data
  useEffect(() => {
    const show = ({ event, data }: StreamFrame) => {
      if (event !== 'message' || !document.hidden) return
      const room = rooms?.find(({ room_id }) => room_id === data.room_id)
      if (!room || !concerns(data.message, room, chat.userId)) return
      void notifyOf(room, data.message.content || t('message.file'))
    }
    return chat.live.onFrame(show)
  }, [chat, rooms, t])
  return null
}

function concerns(message: Message, room: Room, ownId: number): boolean {
  const isOwn = message.user_id === ownId || message.message_type === 'system'
  return !isOwn && !room.restricted && (!room.muted || message.mentions.includes(ownId))
}

async function notifyOf(room: Room, body: string): Promise<void> {
  if (!('Notification' in window) || Notification.permission !== 'granted') return
  const registration = await navigator.serviceWorker?.getRegistration()
  await registration?.showNotification(room.title, {
    body,
    icon: '/icon-192.png',
    tag: `room-${room.room_id}`,
    data: { path: `/rooms/${room.room_id}` },
  })
}
