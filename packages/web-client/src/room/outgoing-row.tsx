import { Clock } from 'lucide-react'
import { lazy, Suspense } from 'react'
import type { OutgoingMessage } from '../core/outgoing-message.ts'
import { useT } from '../i18n/index.ts'
import { lazyWithTexts } from '../i18n/lazy-with-texts.tsx'

const Refusal = lazy(() => import('./refusal.tsx'))
const OutgoingFileRow = lazyWithTexts('files', () => import('./files/outgoing-file-row.tsx'))

/** An outgoing message: queued, or refused with the available actions. */
export function OutgoingRow({ item }: { item: OutgoingMessage }) {
  const t = useT()
  if (item.file) {
    return (
      <Suspense>
        <OutgoingFileRow item={item} file={item.file} />
      </Suspense>
    )
  }
  return (
    <div className="message mine pending" data-refused={item.refusal ? true : undefined} tabIndex={-1}>
      <div className="message-main">
        <div className="message-line">
          <div className="bubble">
            <p>{item.content}</p>
          </div>
          {!item.refusal && (
            <span className="meta">
              <Clock size={14} role="img" aria-label={t('outbox.sending')} />
            </span>
          )}
        </div>
        {item.refusal && (
          <Suspense>
            <Refusal item={item} />
          </Suspense>
        )}
      </div>
    </div>
  )
}
