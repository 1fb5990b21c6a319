import { type KeyboardEvent, useRef, useState } from 'react'
import { type TextKey, useT } from '../i18n/index.ts'
import { emojiGroups } from './emoji-groups.ts'
import '../styles/emoji.css'

const COLUMNS = 8

/** A grid of emoji by category, navigable with arrow keys. */
export default function EmojiPicker({ onPick }: { onPick: (emoji: string) => void }) {
  const t = useT()
  const [group, setGroup] = useState<keyof typeof emojiGroups>('faces')
  const grid = useRef<HTMLDivElement>(null)
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key]
    const buttons = [...(grid.current?.querySelectorAll('button') ?? [])]
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement)
    if (step === undefined || at < 0) return
    event.preventDefault()
    buttons[at + step]?.focus()
  }
  return (
    <div className="emoji-picker">
      <div className="emoji-groups" role="tablist" aria-label={t('emoji.title')}>
        {(Object.keys(emojiGroups) as (keyof typeof emojiGroups)[]).map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            aria-selected={name === group}
            aria-controls="emoji-grid"
            aria-label={t(`emoji.${name}` as TextKey)}
            title={t(`emoji.${name}` as TextKey)}
            onClick={() => setGroup(name)}
          >
            {emojiGroups[name][0]}
          </button>
        ))}
      </div>
      <div
        ref={grid}
        id="emoji-grid"
        className="emoji-grid"
        role="tabpanel"
        aria-label={t(`emoji.${group}` as TextKey)}
        onKeyDown={onKeyDown}
      >
        {emojiGroups[group].map((emoji) => (
          <button key={emoji} type="button" onClick={() => onPick(emoji)}>
            {emoji}
          </button>
        ))}
      </div>
    </div>
  )
}
