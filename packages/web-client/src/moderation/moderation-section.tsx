import { listReports } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../core/api.ts'
import { allPages } from '../core/chat.ts'
import { dateAndTime } from '../core/times.ts'
import { type TextKey, useLanguage, useT } from '../i18n/index.ts'
import { Empty } from '../ui/empty.tsx'
import { Failed } from '../ui/failed.tsx'
import { Spinner } from '../ui/spinner.tsx'
import { ReportView } from './report-view.tsx'

/** The queue of reports, for moderators. */
export default function ModerationSection() {
  const t = useT()
  const language = useLanguage()
  const [state, setState] = useState<'open' | 'closed'>('open')
  const [shown, setShown] = useState<number>()
  const { data, error, refetch } = useQuery({
    queryKey: ['reports', state],
    queryFn: () => allPages((cursor) => call(listReports, { query: { state, limit: 100, ...cursor } })),
    enabled: shown === undefined,
  })
  if (shown !== undefined) return <ReportView reportId={shown} onBack={() => setShown(undefined)} />
  if (error) return <Failed error={error} onRetry={() => void refetch()} />
  return (
    <>
      <div className="tile-row">
        {(['open', 'closed'] as const).map((each) => (
          <button key={each} type="button" aria-pressed={state === each} onClick={() => setState(each)}>
            {t(`moderation.${each}` as TextKey)}
          </button>
        ))}
      </div>
      {!data && <Spinner />}
      {data?.length === 0 && <Empty title={t('moderation.none')} />}
      <ul className="reports">
        {data?.map((report) => (
          <li key={report.report_id}>
            <button type="button" className="row-link" onClick={() => setShown(report.report_id)}>
              <span className="person-text">
                <span>
                  {report.target.display_name} · {t(`report.reason.${report.reason}` as TextKey)}
                </span>
                <span className="quiet">
                  {dateAndTime(report.created_at, language)} ·{' '}
                  {t('moderation.openAbout', { count: report.open_reports })}
                </span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}
