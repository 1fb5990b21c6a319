import { forwardMessage, type Message } from '@bigtech/client'
import { useState } from 'react'
import { call } from '../core/api.ts'
import { useRooms } from '../core/queries.ts'
import { useT } from '../i18n/index.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Modal } from '../ui/modal.tsx'
import { attempt, notify } from '../ui/notices.tsx'

const MOST_ROOMS = 10

/** Selects the rooms to which a message is forwarded. */
export default function ForwardDialog({ message, onClose }: { message: Message; onClose: () => void }) {
  const t = useT()
  const rooms = useRooms().data ?? []
  const [chosen, setChosen] = useState<readonly number[]>([])
  const [filter, setFilter] = useState('')
  // One id per dialog: a retry after a lost response stores nothing twice.
  const [clientMessageId] = useState(() => `fwd-${Date.now()}-${Math.random().toString(36).slice(2)}`)
  const toggle = (roomId: number) =>
    setChosen((ids) => (ids.includes(roomId) ? ids.filter((id) => id !== roomId) : [...ids, roomId]))
  const send = async () => {
    const isSent = await attempt(() =>
      call(forwardMessage, {
        params: { room_id: message.room_id, message_id: message.message_id },
        body: { room_ids: [...chosen], client_message_id: clientMessageId },
      }),
    )
    if (!isSent) return
    notify(t('forward.done', { count: chosen.length }))
    onClose()
  }
  const wanted = filter.trim().toLowerCase()
  return (
    <Modal title={t('forward.title')} onClose={onClose}>
      <input
        type="search"
        value={filter}
        onChange={(event) => setFilter(event.target.value)}
        placeholder={t('rooms.filter')}
        aria-label={t('rooms.filter')}
      />
      <ul className="pick-list">
        {rooms
          .filter(({ title }) => title.toLowerCase().includes(wanted))
          .slice(0, 100)
          .map((room) => (
            <li key={room.room_id}>
              <label>
                <input
                  type="checkbox"
                  checked={chosen.includes(room.room_id)}
                  disabled={chosen.length >= MOST_ROOMS && !chosen.includes(room.room_id)}
                  onChange={() => toggle(room.room_id)}
                />
                <Avatar
                  name={room.title}
                  id={room.peer?.user_id ?? room.room_id}
                  url={room.image_url}
                  size={36}
                />
                {room.title}
              </label>
            </li>
          ))}
      </ul>
      <div className="modal-actions">
        <button type="button" className="primary" disabled={chosen.length === 0} onClick={() => void send()}>
          {t('forward.send', { count: chosen.length })}
        </button>
      </div>
    </Modal>
  )
}
