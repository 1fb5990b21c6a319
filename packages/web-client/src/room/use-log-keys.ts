import type { Virtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, type RefObject, useEffect, useRef } from 'react'

/** Moves between messages with arrow keys; Home and End go to the ends of the loaded part. */
export function useLogKeys(
  log: Virtualizer<HTMLDivElement, Element>,
  scroller: RefObject<HTMLDivElement | null>,
) {
  const wanted = useRef<number>(undefined)
  const focusWanted = () => {
    const row = scroller.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"] .message`)
    if (!row) return
    wanted.current = undefined
    row.focus()
  }
  // A row outside the viewport is in the document only after the scroll has rendered it.
  useEffect(focusWanted)
  const focusRow = (index: number) => {
    wanted.current = index
    log.scrollToIndex(index, { align: 'auto' })
    focusWanted()
  }
  return (event: KeyboardEvent<HTMLDivElement>) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>('[data-index]')
    const current = row ? Number(row.dataset.index) : log.options.count
    const last = log.options.count - 1
    const next = { ArrowUp: current - 1, ArrowDown: current + 1, Home: 0, End: last }[event.key]
    const isInText = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement
    if (next === undefined || isInText || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    if (next >= 0 && next <= last) focusRow(next)
  }
}
