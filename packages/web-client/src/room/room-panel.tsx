import { X } from 'lucide-react'
import { useLocation } from 'wouter'
import { type TextKey, useT } from '../i18n/index.ts'
import { IconButton } from '../ui/icon-button.tsx'
import { RoomInfo } from './room-info.tsx'
import { RoomPins } from './room-pins.tsx'
import { RoomSearch } from './room-search.tsx'
import '../styles/panel.css'

const panels: Record<string, { title: TextKey; Content: () => React.ReactNode }> = {
  info: { title: 'room.info', Content: RoomInfo },
  search: { title: 'room.search', Content: RoomSearch },
  pins: { title: 'pins.title', Content: RoomPins },
}

/** The panel beside the room on a desktop, and over it on a phone. */
export default function RoomPanel({ panel }: { panel: string }) {
  const t = useT()
  const [path, navigate] = useLocation()
  const shown = panels[panel]
  if (!shown) return null
  const close = () => navigate(path.slice(0, path.lastIndexOf('/')), { replace: true })
  return (
    <aside className="panel" aria-label={t(shown.title)}>
      <header>
        <h2>{t(shown.title)}</h2>
        <IconButton label={t('close')} onClick={close}>
          <X size={20} />
        </IconButton>
      </header>
      <div className="panel-body">
        <shown.Content />
      </div>
    </aside>
  )
}
