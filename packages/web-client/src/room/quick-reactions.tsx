import { DropdownMenu } from 'radix-ui'
import { useT } from '../i18n/index.ts'

const QUICK = ['👍', '❤️', '😂', '😮', '😢', '🙏']

/** Common reactions in a row at the top of a message's menu. */
export default function QuickReactions({ onPick }: { onPick: (emoji: string) => void }) {
  const t = useT()
  return (
    <DropdownMenu.Group className="quick-reactions">
      {QUICK.map((emoji) => (
        <DropdownMenu.Item
          key={emoji}
          className="quick-reaction"
          aria-label={t('reaction.add', { emoji })}
          onSelect={() => onPick(emoji)}
        >
          {emoji}
        </DropdownMenu.Item>
      ))}
    </DropdownMenu.Group>
  )
}
