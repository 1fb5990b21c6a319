import {
  Ban,
  Bell,
  Download,
  EyeOff,
  Gavel,
  History,
  KeyRound,
  LogOut,
  MonitorSmartphone,
  Palette,
  Shield,
  User,
} from 'lucide-react'
import type { ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { session } from '../core/api.ts'
import { useProfile } from '../core/queries.ts'
import { type TextKey, useT } from '../i18n/index.ts'
import { Avatar } from '../ui/avatar.tsx'
import '../styles/settings.css'

const sections: { name: string; icon: ReactNode }[] = [
  { name: 'profile', icon: <User size={20} /> },
  { name: 'appearance', icon: <Palette size={20} /> },
  { name: 'notifications', icon: <Bell size={20} /> },
  { name: 'privacy', icon: <Shield size={20} /> },
  { name: 'security', icon: <KeyRound size={20} /> },
  { name: 'blocked', icon: <Ban size={20} /> },
  { name: 'restricted', icon: <EyeOff size={20} /> },
  { name: 'sessions', icon: <MonitorSmartphone size={20} /> },
  { name: 'activity', icon: <History size={20} /> },
  { name: 'data', icon: <Download size={20} /> },
]

const moderation = { name: 'moderation', icon: <Gavel size={20} /> }

export default function SettingsList() {
  const t = useT()
  const [path] = useLocation()
  const { data: profile } = useProfile()
  return (
    <>
      <header className="list-header">
        <h1>{t('nav.settings')}</h1>
      </header>
      <div className="list-scroll">
        {profile && (
          <div className="own-card">
            <Avatar
              name={profile.display_name}
              id={profile.user_id}
              url={profile.profile_image_url}
              size={56}
            />
            <div className="person-text">
              <strong>{profile.display_name}</strong>
              <span className="quiet">{profile.email}</span>
            </div>
          </div>
        )}
        <ul className="settings-sections">
          {[...sections, ...(profile && profile.role !== 'user' ? [moderation] : [])].map(
            ({ name, icon }) => (
              <li key={name}>
                <Link
                  to={`/settings/${name}`}
                  className="row-link"
                  aria-current={path === `/settings/${name}` ? 'page' : undefined}
                >
                  {icon}
                  {t(`settings.${name}` as TextKey)}
                </Link>
              </li>
            ),
          )}
          <li>
            <button type="button" className="row-link danger" onClick={() => void session.logout()}>
              <LogOut size={20} />
              {t('settings.signOut')}
            </button>
          </li>
        </ul>
      </div>
    </>
  )
}
