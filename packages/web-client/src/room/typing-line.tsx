import { useChat } from '../core/chat.ts'
import { useStore } from '../core/store.ts'
import { useT } from '../i18n/index.ts'
import { useNameOf, useOpenRoom } from './room-context.ts'

const NAMED = 3

/** Who is typing, by name. */
export function TypingLine() {
  const t = useT()
  const chat = useChat()
  const { roomId } = useOpenRoom()
  const nameOf = useNameOf()
  const ids = useStore(chat.typing.byRoom).get(roomId) ?? []
  const others = ids.filter((id) => id !== chat.userId)
  const names = others
    .slice(0, NAMED)
    .map((id) => nameOf(id))
    .join(', ')
  const text = others.length > NAMED ? t('typing.many', { names, more: others.length - NAMED }) : names
  return (
    <p className="typing" aria-live="polite">
      {others.length > 0 && (
        <>
          <span className="typing-dots" aria-hidden="true">
            <i /> <i /> <i />
          </span>
          {t('typing', { names: text })}
        </>
      )}
    </p>
  )
}
