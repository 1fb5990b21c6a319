import type { Message, Room, RoomMember } from '@bigtech/client'
import { createContext, useContext } from 'react'
import type { RoomWindow } from '../core/room-window.ts'
import { useT } from '../i18n/index.ts'

/** What the composer is about: a reply to a message, or an edit of one. */
export type RoomFocus = { readonly kind: 'reply' | 'edit'; readonly message: Message } | undefined

/** What stays while messages come and go: a change of it renders every row again. */
export interface OpenRoom {
  readonly roomId: number
  readonly window: RoomWindow
  readonly members: RoomMember[] | undefined
  readonly memberById: ReadonlyMap<number, RoomMember>
  readonly ownId: number
  readonly setFocus: (focus: RoomFocus) => void
  /** Opens the dialog that sends files. */
  readonly sendFiles: (files: readonly File[] | undefined) => void
}

export interface RoomState {
  readonly room: Room
  readonly focus: RoomFocus
}

export const RoomContext = createContext<OpenRoom | undefined>(undefined)
export const RoomStateContext = createContext<RoomState | undefined>(undefined)

/** The room of the page. Only for components below `RoomPage`. */
export function useOpenRoom(): OpenRoom {
  const room = useContext(RoomContext)
  if (!room) throw new Error('No room above this component.')
  return room
}

/** The room as the list shows it, which changes with every message. Only for components below `RoomPage`. */
export function useRoomState(): RoomState {
  const state = useContext(RoomStateContext)
  if (!state) throw new Error('No room above this component.')
  return state
}

/** What to call somebody in this room; whoever left keeps the name the message carries. */
export function useNameOf(): (userId: number, username?: string) => string {
  const t = useT()
  const { memberById } = useOpenRoom()
  return (userId, username) => memberById.get(userId)?.display_name ?? (username || t('unknownUser'))
}
