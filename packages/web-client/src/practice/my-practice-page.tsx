import {
  type AnswerOf,
  getAnalysisResult,
  getPracticeOverview,
  listBookmarks,
  listDubbedTokens,
} from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'wouter'
import { call } from '../core/api.ts'
import { allPages } from '../core/chat.ts'
import { ago } from '../core/times.ts'
import { useLanguage, useT } from '../i18n/index.ts'
import { Empty } from '../ui/empty.tsx'
import { Failed } from '../ui/failed.tsx'
import { Modal } from '../ui/modal.tsx'
import { Page } from '../ui/page.tsx'
import { Spinner } from '../ui/spinner.tsx'
import { BookmarkButton } from './line.tsx'
import { ResultView } from './result-view.tsx'
import '../styles/practice.css'

type Dubbed = AnswerOf<typeof listDubbedTokens>['items'][number]

/** Statistics, bookmarks, and the lines that the user has practiced. */
export default function MyPracticePage() {
  const t = useT()
  const bookmarks = useQuery({
    queryKey: ['bookmarks'],
    queryFn: () => allPages((cursor) => call(listBookmarks, { query: { limit: 100, ...cursor } })),
  })
  const dubbed = useQuery({
    queryKey: ['dubbed-tokens'],
    queryFn: () => allPages((cursor) => call(listDubbedTokens, { query: { limit: 100, ...cursor } })),
  })
  const failed = [bookmarks, dubbed].find(({ error }) => error)
  if (failed) {
    return (
      <Page title={t('practice.mine')} back="/practice">
        <Failed error={failed.error} onRetry={() => void failed.refetch()} />
      </Page>
    )
  }
  return (
    <Page title={t('practice.mine')} back="/practice">
      <Overview />
      <h3>{t('practice.bookmarks')}</h3>
      {!bookmarks.data && <Spinner />}
      {bookmarks.data?.length === 0 && <p className="quiet">{t('practice.noBookmarks')}</p>}
      <ul className="practice-rows">
        {bookmarks.data?.map(({ token }) => (
          <li key={token.token_id}>
            <Link to={`/practice/${token.script_id}`} className="person-text">
              {token.text}
            </Link>
            <BookmarkButton token={token} />
          </li>
        ))}
      </ul>
      <h3>{t('practice.practiced')}</h3>
      {!dubbed.data && <Spinner />}
      {dubbed.data?.length === 0 && <Empty title={t('practice.nothing')} />}
      <ul className="practice-rows">
        {dubbed.data?.map((each) => (
          <PracticedLine key={each.token.token_id} practiced={each} />
        ))}
      </ul>
    </Page>
  )
}

function Overview() {
  const t = useT()
  const { data } = useQuery({ queryKey: ['practice-overview'], queryFn: () => call(getPracticeOverview, {}) })
  if (!data) return null
  const figures = [
    [t('practice.count'), data.practice_count],
    [t('practice.tokens'), data.token_count],
    [t('practice.average'), data.average?.overall],
    [t('practice.best'), data.best_overall],
  ] as const
  return (
    <dl className="practice-figures">
      {figures.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value === null || value === undefined ? '–' : Math.round(value)}</dd>
        </div>
      ))}
    </dl>
  )
}

function PracticedLine({ practiced }: { practiced: Dubbed }) {
  const t = useT()
  const language = useLanguage()
  const [isOpen, setOpen] = useState(false)
  const { token, best, attempts, last_practiced_at, last_job_id } = practiced
  return (
    <li>
      <Link to={`/practice/${token.script_id}`} className="person-text">
        {token.text}
        <span className="quiet">
          {t('practice.best')} {Math.round(best.overall)} · {t('practice.attempts', { count: attempts })} ·{' '}
          {ago(last_practiced_at, language)}
        </span>
      </Link>
      <button
        type="button"
        aria-label={t('practice.lastResultOf', { text: token.text })}
        onClick={() => setOpen(true)}
      >
        {t('practice.lastResult')}
      </button>
      {isOpen && <LastResult jobId={last_job_id} title={token.text} onClose={() => setOpen(false)} />}
    </li>
  )
}

function LastResult(props: { jobId: string; title: string; onClose: () => void }) {
  const { data, error, refetch } = useQuery({
    queryKey: ['analysis', props.jobId],
    queryFn: () => call(getAnalysisResult, { params: { job_id: props.jobId } }),
  })
  return (
    <Modal title={props.title} onClose={props.onClose}>
      {error && <Failed error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Spinner />}
      {data?.result && <ResultView result={data.result} />}
    </Modal>
  )
}
