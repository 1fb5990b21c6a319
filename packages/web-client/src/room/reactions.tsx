import { addReaction, type Message, removeReaction } from '@bigtech/client'
import { call } from '../core/api.ts'
import { useT } from '../i18n/index.ts'
import { attempt } from '../ui/notices.tsx'
import { useOpenRoom } from './room-context.ts'

/** Adds or removes the user's reaction. */
export function useReact() {
  const { roomId, window } = useOpenRoom()
  return (message: Message, emoji: string) =>
    void attempt(async () => {
      const mine = message.reactions.some((reaction) => reaction.emoji === emoji && reaction.me)
      const params = { room_id: roomId, message_id: message.message_id, emoji }
      window.take(await call(mine ? removeReaction : addReaction, { params }))
    })
}

export function Reactions({ message }: { message: Message }) {
  const t = useT()
  const react = useReact()
  if (message.reactions.length === 0) return null
  return (
    <ul className="reactions">
      {message.reactions.map(({ emoji, count, me }) => (
        <li key={emoji}>
          <button
            type="button"
            aria-pressed={me}
            aria-label={t('reaction.label', { emoji, count })}
            onClick={() => react(message, emoji)}
          >
            <span aria-hidden="true">
              {emoji} {count}
            </span>
          </button>
        </li>
      ))}
    </ul>
  )
}
