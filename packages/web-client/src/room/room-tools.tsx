import { listRoomAudit, listRoomBans, unbanFromRoom } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../core/api.ts'
import { allPages, useChat } from '../core/chat.ts'
import { dateAndTime } from '../core/times.ts'
import { type TextKey, useLanguage, useT } from '../i18n/index.ts'
import { attempt } from '../ui/notices.tsx'
import { Spinner } from '../ui/spinner.tsx'
import { useOpenRoom } from './room-context.ts'

/** Bans and the audit log; fetched when opened. */
export function RoomTools() {
  const t = useT()
  const [open, setOpen] = useState<'bans' | 'audit'>()
  return (
    <section>
      {(['bans', 'audit'] as const).map((each) => (
        <div key={each}>
          <button
            type="button"
            className="row-link"
            aria-expanded={open === each}
            onClick={() => setOpen(open === each ? undefined : each)}
          >
            {t(`tools.${each}` as TextKey)}
          </button>
          {open === each && (each === 'bans' ? <Bans /> : <Audit />)}
        </div>
      ))}
    </section>
  )
}

function Bans() {
  const t = useT()
  const chat = useChat()
  const { roomId } = useOpenRoom()
  const params = { room_id: roomId }
  const queryKey = ['bans', roomId]
  const { data } = useQuery({
    queryKey,
    queryFn: () => allPages((cursor) => call(listRoomBans, { params, query: { limit: 100, ...cursor } })),
  })
  const lift = (user_id: number) =>
    void attempt(async () => {
      await call(unbanFromRoom, { params: { ...params, user_id } })
      await chat.queries.invalidateQueries({ queryKey })
    })
  if (!data) return <Spinner />
  if (data.length === 0) return <p className="quiet">{t('tools.noBans')}</p>
  return (
    <ul className="people">
      {data.map((ban) => (
        <li key={ban.user_id} className="person">
          <span className="person-text">{ban.display_name}</span>
          <button type="button" onClick={() => lift(ban.user_id)}>
            {t('tools.unban', { name: ban.display_name })}
          </button>
        </li>
      ))}
    </ul>
  )
}

function Audit() {
  const t = useT()
  const language = useLanguage()
  const { roomId, memberById } = useOpenRoom()
  const { data } = useQuery({
    queryKey: ['audit', roomId],
    queryFn: () => call(listRoomAudit, { params: { room_id: roomId }, query: { limit: 50 } }),
  })
  const nameOf = (userId: number) => memberById.get(userId)?.display_name ?? t('unknownUser')
  if (!data) return <Spinner />
  if (data.items.length === 0) return <p className="quiet">{t('tools.noAudit')}</p>
  return (
    <ul className="audit">
      {data.items.map((entry) => (
        <li key={entry.audit_id}>
          <span>
            {nameOf(entry.actor_id)}: {t(`audit.${entry.action}` as TextKey)}
            {entry.target_id !== null && ` · ${nameOf(entry.target_id)}`}
          </span>
          <span className="quiet">{dateAndTime(entry.created_at, language)}</span>
        </li>
      ))}
    </ul>
  )
}
