import type { RoomMember } from '@bigtech/client'
import { type KeyboardEvent, type RefObject, useState } from 'react'
import { useT } from '../i18n/index.ts'
import { Avatar } from '../ui/avatar.tsx'
import { useNameOf, useOpenRoom } from './room-context.ts'

const OFFERED = 6
const MOST_MENTIONS = 50

/** Returns the ids of members whose `@name` is in the text, up to the server's limit. */
export function mentionedIn(
  text: string,
  members: readonly RoomMember[],
  nameOf: (userId: number) => string,
): number[] {
  return members
    .filter(({ user_id }) => text.includes(`@${nameOf(user_id)}`))
    .map(({ user_id }) => user_id)
    .slice(0, MOST_MENTIONS)
}

/** Returns the members matching the text being typed after `@`. */
export function useMentions(
  field: RefObject<HTMLTextAreaElement | null>,
  text: string,
  write: (text: string) => void,
) {
  const { members, ownId } = useOpenRoom()
  const [cursor, setCursor] = useState(0)
  const [active, setActive] = useState(0)
  const [dismissed, setDismissed] = useState<string>()
  const typed = /(?:^|\s)@([^\s@]{0,30})$/u.exec(text.slice(0, cursor))?.[1]
  const wanted = typed?.toLowerCase()
  const offered =
    wanted === undefined || typed === dismissed
      ? []
      : (members ?? [])
          .filter(({ user_id }) => user_id !== ownId)
          .filter(({ display_name, username }) =>
            [display_name, username].some((name) => name.toLowerCase().startsWith(wanted)),
          )
          .slice(0, OFFERED)
  const choose = (member: RoomMember) => {
    const from = cursor - (typed?.length ?? 0) - 1
    const mention = `@${member.display_name} `
    write(text.slice(0, from) + mention + text.slice(cursor))
    const at = from + mention.length
    requestAnimationFrame(() => {
      field.current?.focus()
      field.current?.setSelectionRange(at, at)
      setCursor(at)
    })
  }
  /** Returns whether the key was handled by the list. */
  const onKeyDown = (event: KeyboardEvent): boolean => {
    const chosen = offered[Math.min(active, offered.length - 1)]
    if (!chosen) return false
    if (event.key === 'ArrowDown') setActive((active + 1) % offered.length)
    else if (event.key === 'ArrowUp') setActive((active + offered.length - 1) % offered.length)
    else if (event.key === 'Enter' || event.key === 'Tab') choose(chosen)
    else if (event.key === 'Escape') setDismissed(typed)
    else return false
    event.preventDefault()
    return true
  }
  const onSelect = () => setCursor(field.current?.selectionEnd ?? 0)
  return { offered, active, choose, onKeyDown, onSelect }
}

interface MentionListProps {
  readonly offered: readonly RoomMember[]
  readonly active: number
  readonly choose: (member: RoomMember) => void
}

export function MentionList({ offered, active, choose }: MentionListProps) {
  const t = useT()
  const nameOf = useNameOf()
  if (offered.length === 0) return null
  return (
    <ul className="mention-list" aria-label={t('composer.mention')}>
      {offered.map((member, index) => (
        <li key={member.user_id}>
          <button type="button" data-active={index === active || undefined} onClick={() => choose(member)}>
            <Avatar
              name={nameOf(member.user_id)}
              id={member.user_id}
              url={member.profile_image_url}
              size={28}
            />
            {nameOf(member.user_id)} <span className="quiet">@{member.username}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}
