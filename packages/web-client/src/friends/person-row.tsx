import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { useT } from '../i18n/index.ts'
import { Avatar } from '../ui/avatar.tsx'

export interface Person {
  readonly user_id: number
  readonly display_name: string
  readonly username: string
  readonly status_message: string | null
  readonly profile_image_url: string | null
  readonly online?: boolean | null
}

interface PersonRowProps {
  readonly person: Person
  readonly isOpen?: boolean
  readonly children?: ReactNode
}

/** A user in a list, with actions beside the name. */
export function PersonRow({ person, isOpen = false, children }: PersonRowProps) {
  const t = useT()
  return (
    <div className="person" data-open={isOpen || undefined}>
      <Link to={`/friends/${person.user_id}`} aria-current={isOpen ? 'page' : undefined}>
        <Avatar
          name={person.display_name}
          id={person.user_id}
          url={person.profile_image_url}
          online={person.online}
        />
        <span className="person-text">
          <span>
            {person.display_name}
            {person.online && <span className="visually-hidden"> {t('presence.online')}</span>}
          </span>
          <span className="quiet">{person.status_message || `@${person.username}`}</span>
        </span>
      </Link>
      {children}
    </div>
  )
}
