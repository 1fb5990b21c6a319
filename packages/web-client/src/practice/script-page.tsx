import { getScript } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { call } from '../core/api.ts'
import { useT } from '../i18n/index.ts'
import { Failed } from '../ui/failed.tsx'
import { Page } from '../ui/page.tsx'
import { Spinner } from '../ui/spinner.tsx'
import { Line } from './line.tsx'
import '../styles/practice.css'

/** The lines of a script, each to listen to and to record. */
export default function ScriptPage({ scriptId }: { scriptId: number }) {
  const t = useT()
  const { data, error, refetch } = useQuery({
    queryKey: ['script', scriptId],
    queryFn: () => call(getScript, { params: { script_id: scriptId } }),
  })
  return (
    <Page title={data?.title ?? t('practice.title')} back="/practice">
      {error && <Failed error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Spinner />}
      {data && (
        <div lang={data.language}>
          <p className="quiet">{data.description}</p>
          <ol className="practice-lines">
            {data.tokens.map((token) => (
              <Line key={token.token_id} token={token} />
            ))}
          </ol>
        </div>
      )}
    </Page>
  )
}
