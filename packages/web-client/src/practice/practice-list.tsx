import { type AnswerOf, listPopularScripts, listScripts } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { ChartColumn } from 'lucide-react'
import { Link, useLocation } from 'wouter'
import { call } from '../core/api.ts'
import { allPages } from '../core/chat.ts'
import { useT } from '../i18n/index.ts'
import { Empty } from '../ui/empty.tsx'
import { Failed } from '../ui/failed.tsx'
import { Spinner } from '../ui/spinner.tsx'
import '../styles/practice.css'

type Script = AnswerOf<typeof listScripts>['items'][number]

const POPULAR = 3

/** The scripts, those that most people practice first. */
export default function PracticeList() {
  const t = useT()
  const [path] = useLocation()
  const { data, error, refetch } = useQuery({
    queryKey: ['scripts'],
    queryFn: () => allPages((cursor) => call(listScripts, { query: { limit: 100, ...cursor } })),
  })
  const popular = useQuery({ queryKey: ['popular-scripts'], queryFn: () => call(listPopularScripts, {}) })
  const favorites = popular.data?.items.filter((script) => script.practice_count > 0).slice(0, POPULAR) ?? []
  return (
    <>
      <header className="list-header">
        <h1>{t('practice.title')}</h1>
      </header>
      <div className="list-scroll practice-list">
        <p className="quiet">{t('practice.text')}</p>
        <Link
          to="/practice/mine"
          className="row-link"
          aria-current={path === '/practice/mine' ? 'page' : undefined}
        >
          <ChartColumn size={20} aria-hidden="true" />
          {t('practice.mine')}
        </Link>
        {error && <Failed error={error} onRetry={() => void refetch()} />}
        {!data && !error && <Spinner />}
        {favorites.length > 0 && <Scripts title={t('practice.popular')} scripts={favorites} />}
        {data && data.length > 0 && <Scripts title={t('practice.all')} scripts={data} />}
        {data?.length === 0 && <Empty title={t('practice.none')} />}
      </div>
    </>
  )
}

function Scripts({ title, scripts }: { title: string; scripts: readonly Script[] }) {
  const t = useT()
  const [path] = useLocation()
  return (
    <section>
      <h2>{title}</h2>
      <ul>
        {scripts.map((script) => (
          <li key={script.script_id}>
            <Link
              to={`/practice/${script.script_id}`}
              className="row-link"
              aria-current={path === `/practice/${script.script_id}` ? 'page' : undefined}
            >
              <span className="person-text" lang={script.language}>
                <strong>{script.title}</strong>
                <span className="quiet">
                  {script.actors.map(({ name }) => name).join(', ')} ·{' '}
                  {t('practice.lines', { count: script.token_count })}
                  {script.practice_count > 0 && ` · ${t('practice.times', { count: script.practice_count })}`}
                </span>
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}
