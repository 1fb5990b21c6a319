import { useEffect, useRef } from 'react'
import { useT } from '../i18n/index.ts'
import EmojiPicker from './emoji-picker.tsx'

/**
 * The emoji above the composer. Closes on Escape or a click elsewhere, but not on picking, so that several
 * can be picked.
 */
export default function EmojiPopover(props: { onPick: (emoji: string) => void; onClose: () => void }) {
  const t = useT()
  const { onClose, onPick } = props
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const close = (event: Event) => {
      const isOutside =
        event instanceof PointerEvent && !box.current?.parentElement?.contains(event.target as Node)
      if (isOutside || (event instanceof KeyboardEvent && event.key === 'Escape')) onClose()
    }
    document.addEventListener('pointerdown', close)
    document.addEventListener('keydown', close)
    return () => {
      document.removeEventListener('pointerdown', close)
      document.removeEventListener('keydown', close)
    }
  }, [onClose])
  return (
    <div ref={box} className="emoji-popover" role="dialog" aria-label={t('emoji.title')}>
      <EmojiPicker onPick={onPick} />
    </div>
  )
}
