import { RotateCw, Trash2, TriangleAlert } from 'lucide-react'
import { useChat } from '../core/chat.ts'
import type { OutgoingMessage } from '../core/outgoing-message.ts'
import { explainCode } from '../core/words.ts'
import { useT } from '../i18n/index.ts'
import { attempt } from '../ui/notices.tsx'

/** The reason why the server refused a message, and the available actions. */
export default function Refusal({ item }: { item: OutgoingMessage }) {
  const t = useT()
  const { outbox } = useChat()
  const { refusal } = item
  if (!refusal) return null
  return (
    <div className="refusal" role="alert">
      <TriangleAlert size={16} aria-hidden="true" />
      <span>{explainCode(refusal.code, refusal.detail)}</span>
      <button type="button" className="link" onClick={() => void attempt(() => outbox.retry(item))}>
        <RotateCw size={14} aria-hidden="true" /> {t('outbox.retry')}
      </button>
      <button type="button" className="link" onClick={() => void attempt(() => outbox.cancel(item))}>
        <Trash2 size={14} aria-hidden="true" /> {t('outbox.discard')}
      </button>
    </div>
  )
}
