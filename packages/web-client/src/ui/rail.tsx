import { Activity, Archive, MessageCircle, Mic, Settings, Users } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { useIncomingRequests, useUnreadTotal } from '../core/queries.ts'
import { type TextKey, useT } from '../i18n/index.ts'
import { CountBadge } from './count-badge.tsx'

/** The main navigation: a rail on the desktop, tabs at the bottom of a phone. */
export function Rail({ onLab }: { onLab: () => void }) {
  const t = useT()
  return (
    <nav className="rail" aria-label={t('nav.label')}>
      <Tab to="/rooms" label="nav.chats" count={useUnreadTotal()}>
        <MessageCircle size={24} />
      </Tab>
      <Tab to="/friends" label="nav.friends" count={useIncomingRequests().data?.length ?? 0}>
        <Users size={24} />
      </Tab>
      <Tab to="/archived" label="nav.archived" count={0}>
        <Archive size={24} />
      </Tab>
      <Tab to="/practice" label="nav.practice" count={0}>
        <Mic size={24} />
      </Tab>
      <Tab to="/settings" label="nav.settings" count={0}>
        <Settings size={24} />
      </Tab>
      <button type="button" className="rail-tab rail-lab" onClick={onLab}>
        <Activity size={24} />
        <span>{t('nav.lab')}</span>
      </button>
    </nav>
  )
}

function Tab(props: { to: string; label: TextKey; count: number; children: ReactNode }) {
  const t = useT()
  const [path] = useLocation()
  const isCurrent = path.startsWith(props.to)
  return (
    <Link to={props.to} className="rail-tab" aria-current={isCurrent ? 'page' : undefined}>
      {props.children}
      <span>{t(props.label)}</span>
      <CountBadge count={props.count} label={t('nav.count', { count: props.count })} />
    </Link>
  )
}
