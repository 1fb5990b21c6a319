import { createJoinLink, listJoinLinks, revokeJoinLink } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { Link2, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { call } from '../core/api.ts'
import { keys, useChat } from '../core/chat.ts'
import { dateAndTime } from '../core/times.ts'
import { useLanguage, useT } from '../i18n/index.ts'
import { IconButton } from '../ui/icon-button.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import { useOpenRoom } from './room-context.ts'

const WEEK_SECONDS = 7 * 86_400

/** Join links of a group. The token is in the fragment of the address, which no server log contains. */
export function RoomLinks() {
  const t = useT()
  const language = useLanguage()
  const chat = useChat()
  const { roomId } = useOpenRoom()
  const params = { room_id: roomId }
  const [made, setMade] = useState('')
  const { data } = useQuery({ queryKey: keys.links(roomId), queryFn: () => call(listJoinLinks, { params }) })
  const refresh = () => chat.queries.invalidateQueries({ queryKey: keys.links(roomId) })
  const create = () =>
    void attempt(async () => {
      const { token } = await call(createJoinLink, { params, body: { expires_in_seconds: WEEK_SECONDS } })
      const address = `${location.origin}/join#${token}`
      setMade(address)
      await refresh()
      await navigator.clipboard.writeText(address)
      notify(t('link.copied'))
    })
  const revoke = (link_id: number) =>
    void attempt(async () => {
      await call(revokeJoinLink, { params: { ...params, link_id } })
      await refresh()
    })
  return (
    <section>
      <h3>{t('link.title')}</h3>
      <button type="button" className="row-link" onClick={create}>
        <Link2 size={18} aria-hidden="true" /> {t('link.create')}
      </button>
      {made && (
        <input
          className="made-link"
          readOnly
          value={made}
          aria-label={t('link.made')}
          onFocus={(e) => e.target.select()}
        />
      )}
      <ul className="links">
        {data?.items.map((link) => (
          <li key={link.link_id}>
            <span>
              {link.expires_at
                ? t('link.until', { when: dateAndTime(link.expires_at, language) })
                : t('link.forever')}{' '}
              · {t('link.uses', { count: link.uses })}
            </span>
            <IconButton label={t('link.revoke')} onClick={() => revoke(link.link_id)}>
              <Trash2 size={16} />
            </IconButton>
          </li>
        ))}
      </ul>
    </section>
  )
}
