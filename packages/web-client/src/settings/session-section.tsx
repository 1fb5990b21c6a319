import { listSessions, logoutAll, revokeSession } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { MonitorSmartphone } from 'lucide-react'
import { call } from '../core/api.ts'
import { allPages, useChat } from '../core/chat.ts'
import { ago } from '../core/times.ts'
import { useLanguage, useT } from '../i18n/index.ts'
import { Failed } from '../ui/failed.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import { Spinner } from '../ui/spinner.tsx'

/** The user's sessions. */
export function SessionSection() {
  const t = useT()
  const language = useLanguage()
  const chat = useChat()
  const { data, error, refetch } = useQuery({
    queryKey: ['sessions'],
    queryFn: () => allPages((cursor) => call(listSessions, { query: { limit: 100, ...cursor } })),
  })
  const refresh = () => chat.queries.invalidateQueries({ queryKey: ['sessions'] })
  const end = (session_id: string) =>
    void attempt(async () => {
      await call(revokeSession, { params: { session_id } })
      await refresh()
    })
  const endOthers = () =>
    void attempt(async () => {
      const { ended } = await call(logoutAll, { body: { except_current: true } })
      notify(t('sessions.ended', { count: ended }))
      await refresh()
    })
  if (error) return <Failed error={error} onRetry={() => void refetch()} />
  if (!data) return <Spinner />
  return (
    <>
      <ul className="sessions">
        {data.map((each) => (
          <li key={each.session_id}>
            <MonitorSmartphone size={22} aria-hidden="true" />
            <span className="person-text">
              <span>
                {each.device} {each.current && <strong>({t('sessions.this')})</strong>}
              </span>
              <span className="quiet">
                {each.ip_prefix} · {ago(each.last_seen_at, language)}
              </span>
            </span>
            {!each.current && (
              <button
                type="button"
                aria-label={t('sessions.endOf', { device: each.device })}
                onClick={() => end(each.session_id)}
              >
                {t('sessions.end')}
              </button>
            )}
          </li>
        ))}
      </ul>
      {data.length > 1 && (
        <button type="button" className="danger" onClick={endOthers}>
          {t('sessions.endOthers')}
        </button>
      )}
    </>
  )
}
