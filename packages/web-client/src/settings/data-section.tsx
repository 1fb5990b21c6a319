import {
  type DataExport,
  getDataExport,
  isProblem,
  requestDataExport,
  sendDataExportLink,
} from '@bigtech/client'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { call } from '../core/api.ts'
import { sizeOf } from '../core/sizes.ts'
import { shortTime } from '../core/times.ts'
import { useLanguage, useT } from '../i18n/index.ts'
import { Failed } from '../ui/failed.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import { Spinner } from '../ui/spinner.tsx'

const key = ['export']
const POLL_MS = 2_000

async function newestExport(): Promise<DataExport | null> {
  try {
    return await call(getDataExport, {})
  } catch (err) {
    if (isProblem(err, 'EXPORT_NOT_FOUND')) return null
    throw err
  }
}

/** Requests an archive of the user's data and shows its progress. */
export function DataSection() {
  const t = useT()
  const queries = useQueryClient()
  const { data, error, refetch } = useQuery({
    queryKey: key,
    queryFn: newestExport,
    refetchInterval: ({ state }) => (state.data?.state === 'pending' ? POLL_MS : false),
  })
  const request = () => void attempt(async () => queries.setQueryData(key, await call(requestDataExport, {})))
  const resend = () =>
    void attempt(async () => {
      await call(sendDataExportLink, {})
      notify(t('data.linkSent'))
    })
  if (error) return <Failed error={error} onRetry={() => void refetch()} />
  if (data === undefined) return <Spinner />
  return (
    <>
      <p>{t('data.text')}</p>
      <div role="status">{data && <ExportState found={data} />}</div>
      {data?.state === 'ready' && (
        <button type="button" onClick={resend}>
          {t('data.sendLink')}
        </button>
      )}{' '}
      <button type="button" className="primary" disabled={data?.state === 'pending'} onClick={request}>
        {t(data?.state === 'ready' ? 'data.again' : 'data.request')}
      </button>
    </>
  )
}

function ExportState({ found }: { found: DataExport }) {
  const t = useT()
  const language = useLanguage()
  if (found.state === 'failed') return <p className="error">{t('data.failed')}</p>
  if (found.state === 'ready') {
    const size = sizeOf(found.size_bytes ?? 0, language)
    return <p>{t('data.ready', { size, when: shortTime(found.expires_at ?? '', language) })}</p>
  }
  return (
    <p>
      <progress max={found.parts_total} value={found.parts_done} aria-label={t('data.pending')} />{' '}
      {t('data.pending')}
    </p>
  )
}
