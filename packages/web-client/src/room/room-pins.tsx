import { usePins } from '../core/queries.ts'
import { useT } from '../i18n/index.ts'
import { Empty } from '../ui/empty.tsx'
import { Failed } from '../ui/failed.tsx'
import { attempt } from '../ui/notices.tsx'
import { Spinner } from '../ui/spinner.tsx'
import { FoundMessage } from './found-message.tsx'
import { useNameOf, useOpenRoom } from './room-context.ts'

export function RoomPins() {
  const t = useT()
  const { roomId, window } = useOpenRoom()
  const nameOf = useNameOf()
  const { data, error, refetch } = usePins(roomId)
  if (error) return <Failed error={error} onRetry={() => void refetch()} />
  if (!data) return <Spinner />
  if (data.length === 0) return <Empty title={t('pins.none')} />
  return (
    <ul className="found">
      {data.map((message) => (
        <li key={message.message_id}>
          <FoundMessage
            message={message}
            heading={nameOf(message.user_id, message.username)}
            onOpen={() => void attempt(() => window.jumpTo(message.seq))}
          />
        </li>
      ))}
    </ul>
  )
}
