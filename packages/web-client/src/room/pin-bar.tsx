import { Pin } from 'lucide-react'
import { usePins } from '../core/queries.ts'
import { useT } from '../i18n/index.ts'
import { attempt } from '../ui/notices.tsx'
import { useOpenRoom } from './room-context.ts'

/** The newest pinned message; selecting it jumps to it. */
export function PinBar() {
  const t = useT()
  const { roomId, window } = useOpenRoom()
  const pins = usePins(roomId).data ?? []
  const [newest] = pins
  if (!newest) return null
  return (
    <button type="button" className="pin-bar" onClick={() => void attempt(() => window.jumpTo(newest.seq))}>
      <Pin size={16} aria-hidden="true" />
      <span className="visually-hidden">{t('pins.newest')}</span>
      <span className="pin-bar-text">{newest.content}</span>
      {pins.length > 1 && <span className="quiet">{t('pins.more', { count: pins.length - 1 })}</span>}
    </button>
  )
}
