import type { Message } from '@bigtech/client'
import { Ellipsis, Forward, Pin, Reply } from 'lucide-react'
import { type MouseEvent, memo, useState } from 'react'
import { useNames } from '../core/queries.ts'
import { clock, isSameDay, isSameMinute, longDay } from '../core/times.ts'
import { useLanguage, useT } from '../i18n/index.ts'
import { Avatar } from '../ui/avatar.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { isTouch } from '../ui/is-touch.ts'
import { anchorOf } from '../ui/menu-item.ts'
import { attempt } from '../ui/notices.tsx'
import { MessageBody } from './message-body.tsx'
import type { OpenMenu } from './message-menu.tsx'
import { Reactions } from './reactions.tsx'
import { useNameOf, useOpenRoom } from './room-context.ts'
import { peopleOf, systemLine } from './system-line.ts'

interface RowFlags {
  /** The date shown above the first message of its day. */
  readonly day: string | undefined
  readonly isUnreadStart: boolean
  /** Whether it is the first of several messages by the same author in the same minute. */
  readonly isGroupStart: boolean
  readonly isGroupEnd: boolean
}

interface MessageRowProps extends RowFlags {
  readonly message: Message
  readonly isHighlighted: boolean
  readonly onMenu: (menu: OpenMenu) => void
}

/**
 * Returns the relation of a message to its neighbors. Primitive values, so that unchanged rows are not
 * rendered again.
 */
export function rowFlags(messages: readonly Message[], index: number, unreadFrom?: number): RowFlags {
  const [before, message, after] = [messages[index - 1], messages[index]!, messages[index + 1]]
  const isNewDay = !before || !isSameDay(before.created_at, message.created_at)
  const isUnreadStart = message.seq === unreadFrom
  return {
    day: isNewDay ? message.created_at.slice(0, 10) : undefined,
    isUnreadStart,
    isGroupStart: isNewDay || isUnreadStart || !belongTogether(before, message),
    isGroupEnd: !after || after.seq === unreadFrom || !belongTogether(message, after),
  }
}

function belongTogether(a: Message, b: Message): boolean {
  return (
    a.user_id === b.user_id &&
    a.message_type !== 'system' &&
    b.message_type !== 'system' &&
    isSameMinute(a.created_at, b.created_at)
  )
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const t = useT()
  const language = useLanguage()
  const { message, day, isUnreadStart } = props
  return (
    <>
      {day && (
        <p className="day">
          <span>{longDay(message.created_at, language)}</span>
        </p>
      )}
      {isUnreadStart && (
        <p className="unread-line">
          <span>{t('room.unreadFromHere')}</span>
        </p>
      )}
      {message.message_type === 'system' ? <SystemRow message={message} /> : <TalkRow {...props} />}
    </>
  )
})

function SystemRow({ message }: { message: Message }) {
  const t = useT()
  const { members, memberById } = useOpenRoom()
  const gone = useNames(members ? peopleOf(message).filter((id) => !memberById.has(id)) : [])
  const nameOf = (userId: number) => memberById.get(userId)?.display_name ?? gone?.get(userId)
  return (
    <p className="message system" tabIndex={-1} data-seq={message.seq}>
      <span>{systemLine(message, nameOf, t)}</span>
    </p>
  )
}

function TalkRow({ message, isGroupStart, isGroupEnd, isHighlighted, onMenu }: MessageRowProps) {
  const { ownId, memberById } = useOpenRoom()
  const nameOf = useNameOf()
  const isMine = message.user_id === ownId
  // Created only for the hovered or focused row, because tools cost as much as the rest of a row.
  const [hasTools, setTools] = useState(isTouch)
  const openMenu = (event: MouseEvent<HTMLElement>) => {
    event.preventDefault()
    onMenu({ message, anchor: anchorOf(event) })
  }
  const name = nameOf(message.user_id, message.username)
  return (
    <article
      className={isMine ? 'message mine' : 'message'}
      data-seq={message.seq}
      data-start={isGroupStart || undefined}
      data-highlighted={isHighlighted || undefined}
      tabIndex={-1}
      aria-label={name}
      onContextMenu={message.is_deleted ? undefined : openMenu}
      onPointerEnter={() => setTools(true)}
      onFocus={() => setTools(true)}
    >
      {!isMine && (
        <div className="message-avatar">
          {isGroupStart && (
            <Avatar
              name={name}
              id={message.user_id}
              url={memberById.get(message.user_id)?.profile_image_url}
              size={38}
            />
          )}
        </div>
      )}
      <div className="message-main">
        {!isMine && isGroupStart && <p className="author">{name}</p>}
        <div className="message-line">
          <div className={message.is_deleted ? 'bubble deleted' : 'bubble'}>
            <Marks message={message} />
            <ReplyQuote message={message} />
            <MessageBody message={message} />
          </div>
          <Meta message={message} showsTime={isGroupEnd} />
          {hasTools && !message.is_deleted && <RowTools message={message} onMenu={openMenu} />}
        </div>
        <Reactions message={message} />
      </div>
    </article>
  )
}

function Marks({ message }: { message: Message }) {
  const t = useT()
  if (!message.is_forwarded && !message.pinned_at) return null
  return (
    <p className="marks">
      {message.is_forwarded && (
        <span>
          <Forward size={12} aria-hidden="true" /> {t('message.forwarded')}
        </span>
      )}
      {message.pinned_at && (
        <span>
          <Pin size={12} aria-hidden="true" /> {t('message.pinned')}
        </span>
      )}
    </p>
  )
}

function ReplyQuote({ message }: { message: Message }) {
  const t = useT()
  const { window } = useOpenRoom()
  const nameOf = useNameOf()
  const preview = message.reply_preview
  if (!preview) return null
  return (
    <button type="button" className="quote" onClick={() => void attempt(() => window.jumpTo(preview.seq))}>
      <span className="quote-name">{nameOf(preview.user_id, preview.username)}</span>
      <span className="quote-text">{preview.is_deleted ? t('message.deleted') : preview.content}</span>
    </button>
  )
}

/** The number of members who have not read it, like in KakaoTalk, and the time. */
function Meta({ message, showsTime }: { message: Message; showsTime: boolean }) {
  const t = useT()
  const language = useLanguage()
  return (
    <span className="meta">
      {message.unread_count > 0 && (
        <span className="unread">
          <span aria-hidden="true">{message.unread_count}</span>
          <span className="visually-hidden">{t('message.unreadBy', { count: message.unread_count })}</span>
        </span>
      )}
      {message.edited_at && !message.is_deleted && <span>{t('message.edited')}</span>}
      {showsTime && <time dateTime={message.created_at}>{clock(message.created_at, language)}</time>}
    </span>
  )
}

function RowTools({
  message,
  onMenu,
}: {
  message: Message
  onMenu: (event: MouseEvent<HTMLElement>) => void
}) {
  const t = useT()
  const { setFocus } = useOpenRoom()
  return (
    <span className="row-tools">
      <IconButton label={t('message.reply')} onClick={() => setFocus({ kind: 'reply', message })}>
        <Reply size={16} />
      </IconButton>
      <IconButton label={t('message.actions')} aria-haspopup="menu" onClick={onMenu}>
        <Ellipsis size={16} />
      </IconButton>
    </span>
  )
}
