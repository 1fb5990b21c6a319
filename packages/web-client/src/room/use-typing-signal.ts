import { sendTyping } from '@bigtech/client'
import { useRef } from 'react'
import { call } from '../core/api.ts'

const EVERY_MS = 3_000

/** Sends a typing indicator, at most every three seconds. */
export function useTypingSignal(roomId: number): () => void {
  const saidAt = useRef(0)
  return () => {
    if (Date.now() - saidAt.current < EVERY_MS) return
    saidAt.current = Date.now()
    call(sendTyping, { params: { room_id: roomId } }).catch(() => undefined)
  }
}
