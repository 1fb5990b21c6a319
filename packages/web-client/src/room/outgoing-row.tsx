import { Clock, RotateCw, Trash2, TriangleAlert } from 'lucide-react'
import { useChat } from '../core/chat.ts'
import type { OutgoingMessage } from '../core/outgoing-message.ts'
import { explainCode } from '../core/words.ts'
import { useT } from '../i18n/index.ts'
import { attempt } from '../ui/notices.tsx'

/** A message on its way: waiting, or refused with what can be done about it. */
export function OutgoingRow({ item }: { item: OutgoingMessage }) {
  const t = useT()
  const { outbox } = useChat()
  const { refusal } = item
  return (
    <div className="message mine pending" data-refused={refusal ? true : undefined} tabIndex={-1}>
      <div className="message-main">
        <div className="message-line">
          <div className="bubble">
            <p>{item.content}</p>
          </div>
          {!refusal && (
            <span className="meta">
              <Clock size={14} role="img" aria-label={t('outbox.sending')} />
            </span>
          )}
        </div>
        {refusal && (
          <div className="refusal" role="alert">
            <TriangleAlert size={16} aria-hidden="true" />
            <span>{explainCode(refusal.code, refusal.detail)}</span>
            <button type="button" className="link" onClick={() => void attempt(() => outbox.retry(item))}>
              <RotateCw size={14} aria-hidden="true" /> {t('outbox.retry')}
            </button>
            <button type="button" className="link" onClick={() => void attempt(() => outbox.discard(item))}>
              <Trash2 size={14} aria-hidden="true" /> {t('outbox.discard')}
            </button>
          </div>
        )}
      </div>
    </div>
  )
}
