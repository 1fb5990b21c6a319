import { deleteRoom, leaveRoom } from '@bigtech/client'
import { LogOut, Trash2 } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { useLocation } from 'wouter'
import { call } from '../core/api.ts'
import { useChat } from '../core/chat.ts'
import { useT } from '../i18n/index.ts'
import { attempt } from '../ui/notices.tsx'
import { useRoomState } from './room-context.ts'

const Confirm = lazy(() => import('../ui/confirm.tsx'))

/** Leaving a group, and for its owner deleting it. */
export function GroupDanger() {
  const t = useT()
  const chat = useChat()
  const { room } = useRoomState()
  const [, navigate] = useLocation()
  const [asking, setAsking] = useState<'leave' | 'delete'>()
  const end = (operation: typeof leaveRoom | typeof deleteRoom) => () =>
    void attempt(async () => {
      await call(operation, { params: { room_id: room.room_id } })
      chat.removeRoom(room.room_id)
      navigate('/rooms')
    })
  return (
    <section>
      <button type="button" className="row-link danger" onClick={() => setAsking('leave')}>
        <LogOut size={18} aria-hidden="true" /> {t('group.leave')}
      </button>
      {room.role === 'owner' && (
        <button type="button" className="row-link danger" onClick={() => setAsking('delete')}>
          <Trash2 size={18} aria-hidden="true" /> {t('group.delete')}
        </button>
      )}
      <Suspense>
        {asking === 'leave' && (
          <Confirm
            title={t('group.leave')}
            text={t(room.role === 'owner' ? 'group.leaveOwnerText' : 'group.leaveText')}
            action={t('group.leave')}
            onConfirm={end(leaveRoom)}
            onClose={() => setAsking(undefined)}
          />
        )}
        {asking === 'delete' && (
          <Confirm
            title={t('group.delete')}
            text={t('group.deleteText')}
            action={t('group.delete')}
            onConfirm={end(deleteRoom)}
            onClose={() => setAsking(undefined)}
          />
        )}
      </Suspense>
    </section>
  )
}
