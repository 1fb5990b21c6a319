import type { Virtualizer } from '@tanstack/react-virtual'
import { type RefObject, useEffect, useLayoutEffect, useState } from 'react'
import type { RoomView } from '../core/room-view.ts'

type Log = Virtualizer<HTMLDivElement, Element>

/** Estimated height of a row in pixels. */
export const ROW_HEIGHT = 56

/**
 * Distances from the goal in pixels: within the first the log has arrived, beyond the second the user has
 * scrolled away from a message.
 */
const LANDED = 4
const MOVED = 40
const HIGHLIGHTED_MS = 2_000

/** A `seq` to keep in the middle of the screen, or the end of the log. */
type Goal = number | 'end'

/** Returns what a jump, or else opening the room, scrolls to. */
function goalOf({ target, unreadFrom }: RoomView): Goal {
  return target?.seq ?? unreadFrom ?? 'end'
}

/**
 * Returns the estimated scroll offset of the place at which the log opens. Until the browser reports the first
 * scroll, which a busy or hidden page does late, the virtualizer renders the rows at this offset, and they
 * count as what the user sees.
 */
export function openingOffset(view: RoomView): number {
  const goal = goalOf(view)
  const { messages } = view
  const place = goal === 'end' ? messages.length : indexOf(goal, view) + 0.5
  return Math.max(0, place * ROW_HEIGHT - innerHeight / (goal === 'end' ? 1 : 2))
}

/** Returns the index of a message, or of the first one after it if it is not loaded. */
function indexOf(seq: number, { messages }: RoomView): number {
  const index = messages.findIndex((message) => message.seq >= seq)
  return index < 0 ? messages.length - 1 : index
}

/**
 * Scrolls to the target of a jump, or on opening to the first unread message or the end, and stays there
 * until the user scrolls: loading an earlier page shifts every index, including that of a scroll in
 * progress. A user who scrolls to the end stays there while messages arrive, rows or the log change their
 * size, and the page is hidden.
 *
 * @returns the `seq` of the message to highlight, and whether the log stays at its end
 */
export function useTarget(
  view: RoomView,
  log: Log,
  scroller: RefObject<HTMLDivElement | null>,
): { highlighted: number | undefined; staysAtEnd: boolean } {
  const [highlighted, setHighlighted] = useState<number>()
  const [place] = useState(() => new Place(view, log, scroller))
  const { target } = view
  useLayoutEffect(() => {
    if (target?.highlight) setHighlighted(target.seq)
  }, [target?.id])
  // After every render, because any of them can change the height of the log.
  useLayoutEffect(() => place.keep(view))
  useEffect(() => place.watch(), [place])
  useEffect(() => {
    if (highlighted === undefined) return
    const timer = setTimeout(() => setHighlighted(undefined), HIGHLIGHTED_MS)
    return () => clearTimeout(timer)
  }, [highlighted])
  return { highlighted, staysAtEnd: place.isEnd }
}

/** The place in the log that stays in view until the user scrolls. */
class Place {
  readonly #log: Log
  readonly #scroller: RefObject<HTMLDivElement | null>
  #view: RoomView
  #goal: Goal | undefined
  #hasLanded = false
  /** Whether the log has not been scrolled to the goal yet. */
  #isDue = true
  /** The jump that set the goal. */
  #jump: number | undefined
  /** The first loaded message when the goal was last applied. */
  #firstSeq: number | undefined
  /** Scroll position and its maximum when the end was last in view. */
  #seen = { top: 0, max: 0 }

  constructor(view: RoomView, log: Log, scroller: RefObject<HTMLDivElement | null>) {
    this.#view = view
    this.#log = log
    this.#scroller = scroller
    this.#aim(view)
  }

  get isEnd(): boolean {
    return this.#goal === 'end'
  }

  #aim(view: RoomView): void {
    const goal = goalOf(view)
    const isNewest = goal === view.messages.at(-1)?.seq && !view.hasNewer
    this.#goal = isNewest ? 'end' : goal
    this.#jump = view.target?.id
    this.#hasLanded = false
    this.#isDue = true
  }

  /** Scrolls to the goal if a jump or a change of the content or its size requires it. */
  keep(view: RoomView): void {
    this.#view = view
    const first = view.messages[0]?.seq
    if (first === undefined) return
    if (view.target && view.target.id !== this.#jump) this.#aim(view)
    const isDue = this.#isDue || first !== this.#firstSeq
    this.#isDue = false
    this.#firstSeq = first
    if (this.#goal === 'end') this.#keepEnd(isDue)
    else if (this.#goal !== undefined && isDue)
      this.#log.scrollToIndex(indexOf(this.#goal, view), { align: 'center' })
  }

  #keepEnd(isDue: boolean): void {
    const element = this.#scroller.current
    if (!element || this.#view.hasNewer) return
    if (isDue || maxTop(element) !== this.#seen.max) this.#log.scrollToEnd()
    this.#seen = { top: element.scrollTop, max: maxTop(element) }
  }

  /** Notices when the user scrolls by any means: wheel, keyboard, find in page. @returns how to stop */
  watch(): (() => void) | undefined {
    const element = this.#scroller.current
    if (!element) return
    const onScroll = () => this.#onScroll(element)
    // Before the listener of the virtualizer, whose render can change the height of the log.
    element.addEventListener('scroll', onScroll, { passive: true, capture: true })
    // A growing composer or a keyboard on the screen leaves less height for the log.
    const resizes = new ResizeObserver(() => this.#goal === 'end' && this.#keepEnd(false))
    resizes.observe(element)
    return () => {
      element.removeEventListener('scroll', onScroll, { capture: true })
      resizes.disconnect()
    }
  }

  #onScroll(element: HTMLElement): void {
    const { scrollTop: top } = element
    const max = maxTop(element)
    const isAtEnd = max - top <= LANDED && !this.#view.hasNewer
    if (this.#goal === 'end') {
      // With another maximum the content has moved, not the user.
      if (max !== this.#seen.max) return
      if (!isAtEnd && top < this.#seen.top) this.#goal = undefined
      this.#seen.top = top
      return
    }
    if (this.#goal !== undefined) this.#followScroll(this.#goal, top)
    if (isAtEnd && (this.#goal === undefined || this.#hasLanded)) {
      this.#goal = 'end'
      this.#seen = { top, max }
    }
  }

  /** Releases a message when the user scrolls away from it. */
  #followScroll(seq: number, top: number): void {
    const place = this.#log.getOffsetForIndex(indexOf(seq, this.#view), 'center')?.[0]
    if (place === undefined) return
    const distance = Math.abs(top - place)
    if (distance < LANDED) this.#hasLanded = true
    else if (this.#hasLanded && distance > MOVED) this.#goal = undefined
  }
}

function maxTop({ scrollHeight, clientHeight }: Element): number {
  return scrollHeight - clientHeight
}
