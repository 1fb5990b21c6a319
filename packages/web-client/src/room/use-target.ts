import type { Virtualizer } from '@tanstack/react-virtual'
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { RoomView } from '../core/room-window.ts'

type Log = Virtualizer<HTMLDivElement, Element>

/**
 * Distances from the goal in pixels: within the first the log has arrived, beyond the second the user has
 * scrolled away.
 */
const LANDED = 4
const MOVED = 40
const HIGHLIGHTED_MS = 2_000

/** A `seq` to keep in the middle of the screen, or the end of the log. */
type Goal = number | 'end'

/**
 * Scrolls to the target of a jump, or on opening to the first unread message or the end, and stays there
 * until the user scrolls: loading an earlier page shifts every index, including that of a scroll in
 * progress.
 *
 * @returns the `seq` of the message to highlight
 */
export function useTarget(
  view: RoomView,
  log: Log,
  scroller: RefObject<HTMLDivElement | null>,
): number | undefined {
  const [highlighted, setHighlighted] = useState<number>()
  const goal = useRef<Goal>(undefined)
  const hasLanded = useRef(false)
  const aimedAt = useRef<number | 'opening'>(undefined)
  const firstSeq = useRef(0)
  const { target, messages, unreadFrom } = view
  const first = messages[0]?.seq
  useLayoutEffect(() => {
    if (first === undefined) return
    firstSeq.current = first
    const aim = target?.id ?? aimedAt.current ?? 'opening'
    if (aim !== aimedAt.current) {
      aimedAt.current = aim
      hasLanded.current = false
      goal.current = target?.seq ?? unreadFrom ?? 'end'
      if (target?.highlight) setHighlighted(target.seq)
    }
    if (goal.current === 'end') log.scrollToEnd()
    else if (goal.current !== undefined) log.scrollToIndex(goal.current - first, { align: 'center' })
  }, [target?.id, first])
  useEffect(() => {
    const element = scroller.current
    if (!element) return
    // Releases the goal when the user scrolls by any means: wheel, keyboard, find in page.
    const onScroll = () => {
      const place = offsetOf(goal.current, firstSeq.current, element, log)
      if (place === undefined) return
      const distance = Math.abs(element.scrollTop - place)
      if (distance < LANDED) hasLanded.current = true
      else if (hasLanded.current && distance > MOVED) goal.current = undefined
    }
    element.addEventListener('scroll', onScroll, { passive: true })
    return () => element.removeEventListener('scroll', onScroll)
  }, [scroller, log])
  useEffect(() => {
    if (highlighted === undefined) return
    const timer = setTimeout(() => setHighlighted(undefined), HIGHLIGHTED_MS)
    return () => clearTimeout(timer)
  }, [highlighted])
  return highlighted
}

function offsetOf(
  goal: Goal | undefined,
  firstSeq: number,
  element: HTMLElement,
  log: Log,
): number | undefined {
  if (goal === 'end') return element.scrollHeight - element.clientHeight
  return goal === undefined ? undefined : log.getOffsetForIndex(goal - firstSeq, 'center')?.[0]
}
