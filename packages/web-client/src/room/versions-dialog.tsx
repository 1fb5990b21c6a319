import { listMessageVersions, type Message } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { call } from '../core/api.ts'
import { dateAndTime } from '../core/times.ts'
import { useLanguage, useT } from '../i18n/index.ts'
import { Failed } from '../ui/failed.tsx'
import { Modal } from '../ui/modal.tsx'
import { Spinner } from '../ui/spinner.tsx'

/** The previous versions of an edited message. */
export default function VersionsDialog({ message, onClose }: { message: Message; onClose: () => void }) {
  const t = useT()
  const language = useLanguage()
  const params = { room_id: message.room_id, message_id: message.message_id }
  const { data, error, refetch } = useQuery({
    queryKey: ['versions', message.message_id, message.rev],
    queryFn: () => call(listMessageVersions, { params, query: { limit: 100 } }),
  })
  return (
    <Modal title={t('message.versions')} onClose={onClose}>
      {error && <Failed error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Spinner />}
      <ol className="versions">
        {data?.items.map(({ rev, content, written_at }) => (
          <li key={rev}>
            <time dateTime={written_at}>{dateAndTime(written_at, language)}</time>
            <p>{content}</p>
          </li>
        ))}
      </ol>
    </Modal>
  )
}
