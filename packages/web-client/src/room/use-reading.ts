import { markRead } from '@bigtech/client'
import type { Virtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef, useState } from 'react'
import { call } from '../core/api.ts'
import type { RoomView } from '../core/room-view.ts'
import { useOpenRoom } from './room-context.ts'

/** One request for everything read within this time. */
const READ_EVERY_MS = 1_000

/**
 * Marks visible messages as read while the page is visible.
 *
 * @returns the `seq` of the last visible message
 */
export function useReading(view: RoomView, log: Virtualizer<HTMLDivElement, Element>): number {
  const { roomId, window } = useOpenRoom()
  const isLooking = useLooking()
  const due = useRef<ReturnType<typeof setTimeout>>(undefined)
  const said = useRef(0)
  const lastIndex = log.range?.endIndex ?? -1
  const lastVisible = view.messages[Math.min(lastIndex, view.messages.length - 1)]?.seq ?? 0
  useEffect(() => {
    if (!isLooking || lastVisible <= Math.max(said.current, window.ownSeq)) return
    const say = () => {
      due.current = undefined
      said.current = lastVisible
      call(markRead, { params: { room_id: roomId }, body: { seq: lastVisible } }).catch(() => {
        said.current = 0
      })
    }
    clearTimeout(due.current)
    due.current = setTimeout(say, due.current === undefined && said.current === 0 ? 0 : READ_EVERY_MS)
  }, [isLooking, lastVisible, roomId, window])
  return lastVisible
}

/** Returns whether the page is visible. */
function useLooking(): boolean {
  const [isLooking, setLooking] = useState(!document.hidden)
  useEffect(() => {
    const look = () => setLooking(!document.hidden)
    document.addEventListener('visibilitychange', look)
    return () => document.removeEventListener('visibilitychange', look)
  }, [])
  return isLooking
}
