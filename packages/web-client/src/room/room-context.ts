import type { Message, Room, RoomMember } from '@bigtech/client'
import { createContext, useContext } from 'react'
import type { RoomWindow } from '../core/room-window.ts'
import { useT } from '../i18n/index.ts'

/** The message that the composer replies to or edits. */
export type RoomFocus = { readonly kind: 'reply' | 'edit'; readonly message: Message } | undefined

/** The rarely changing state of an open room: a change renders every row again. */
export interface OpenRoom {
  readonly roomId: number
  readonly window: RoomWindow
  readonly members: RoomMember[] | undefined
  readonly memberById: ReadonlyMap<number, RoomMember>
  readonly ownId: number
  readonly setFocus: (focus: RoomFocus) => void
  /** Opens the dialog for sending files. */
  readonly sendFiles: (files: readonly File[] | undefined) => void
}

export interface RoomState {
  readonly room: Room
  readonly focus: RoomFocus
}

export const RoomContext = createContext<OpenRoom | undefined>(undefined)
export const RoomStateContext = createContext<RoomState | undefined>(undefined)

/** Returns the room of the page. Only for components below `RoomPage`. */
export function useOpenRoom(): OpenRoom {
  const room = useContext(RoomContext)
  if (!room) throw new Error('No room above this component.')
  return room
}

/** Returns the room's list state, which changes with every message. Only for components below `RoomPage`. */
export function useRoomState(): RoomState {
  const state = useContext(RoomStateContext)
  if (!state) throw new Error('No room above this component.')
  return state
}

/** Returns display names in this room; former members keep the name in the message. */
export function useNameOf(): (userId: number, username?: string) => string {
  const t = useT()
  const { memberById } = useOpenRoom()
  return (userId, username) => memberById.get(userId)?.display_name ?? (username || t('unknownUser'))
}
