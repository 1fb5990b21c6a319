import { getRoom, type Message, type Room, type StreamFrame } from '@bigtech/client'
import { QueryClient } from '@tanstack/react-query'
import { createContext, useContext } from 'react'
import { ahead, call } from './api.ts'
import { requests } from './first-screen.ts'
import { Live } from './live.ts'
import { Outbox } from './outbox.ts'
import { RoomWindows } from './room-windows.ts'
import { Rooms } from './rooms.ts'
import { Typing } from './typing.ts'

/** Keys of the query cache. */
export const keys = {
  rooms: ['rooms'],
  archived: ['archived'],
  room: (roomId: number) => ['room', roomId],
  members: (roomId: number) => ['members', roomId],
  pins: (roomId: number) => ['pins', roomId],
  links: (roomId: number) => ['links', roomId],
  friends: ['friends'],
  requests: (direction: 'incoming' | 'outgoing') => ['requests', direction],
  suggestions: ['suggestions'],
  blocked: ['blocked'],
  profile: ['profile'],
  user: (userId: number) => ['user', userId],
} as const

const friendLists = [keys.friends, ['requests'], keys.suggestions, keys.blocked]

const STALE_AFTER_MS = 150

/** State with the lifetime of a session: caches, the stream, the outbox. */
export class Chat {
  readonly userId: number
  readonly queries = new QueryClient({
    defaultOptions: {
      // The stream announces changes, so refocusing the window fetches nothing.
      queries: { staleTime: 60_000, refetchOnWindowFocus: false, retry: 1, networkMode: 'always' },
      mutations: { networkMode: 'always' },
    },
  })
  readonly windows: RoomWindows
  readonly outbox: Outbox
  readonly live: Live
  readonly typing = new Typing()
  readonly #rooms: Rooms
  /** Frames received while the list is being fetched, because the response may be older. */
  #heldBack: StreamFrame[] | undefined
  #due: ReturnType<typeof setTimeout> | undefined

  constructor(userId: number) {
    this.userId = userId
    this.#rooms = new Rooms(userId)
    this.windows = new RoomWindows(userId)
    this.outbox = new Outbox(userId, (message) => this.take(message))
    this.live = new Live(userId)
    this.live.onFrame((frame) => this.#apply(frame))
  }

  close(): void {
    clearTimeout(this.#due)
    this.live.close()
    this.outbox.close()
    this.windows.close()
    this.queries.clear()
  }

  /** Applies a message returned by a request. */
  take(message: Message): void {
    this.windows.get(message.room_id)?.take(message)
  }

  /** Fetches the complete list; applies frames received in the meantime afterwards. */
  readonly fetchRooms = async (): Promise<Room[]> => {
    this.#heldBack = []
    try {
      this.#rooms.load(await allPages((cursor) => call(...requests.rooms(cursor))))
      for (const frame of this.#heldBack) this.#rooms.apply(frame)
      return this.#rooms.list
    } finally {
      this.#heldBack = undefined
    }
  }

  /** Shows a room returned by a request, before the stream announces it. */
  putRoom(room: Room): void {
    this.#rooms.put(room)
    this.queries.setQueryData(keys.room(room.room_id), room)
    this.#showRooms()
  }

  async refreshRoom(roomId: number): Promise<void> {
    try {
      this.putRoom(await call(getRoom, { params: { room_id: roomId } }))
      void this.queries.invalidateQueries({ queryKey: keys.archived })
    } catch {
      // The next `ready` or `reset` fetches the list.
    }
  }

  removeRoom(roomId: number): void {
    this.#rooms.remove(roomId)
    this.queries.removeQueries({ queryKey: keys.room(roomId) })
    void this.queries.invalidateQueries({ queryKey: keys.archived })
    this.#showRooms()
  }

  #showRooms(): void {
    if (this.queries.getQueryData(keys.rooms)) this.queries.setQueryData(keys.rooms, this.#rooms.list)
  }

  #apply(frame: StreamFrame): void {
    ahead.forget()
    this.windows.apply(frame)
    this.typing.apply(frame)
    this.#applyToRooms(frame)
    this.#applyToCaches(frame)
  }

  #applyToRooms(frame: StreamFrame): void {
    this.#heldBack?.push(frame)
    const effect = this.#rooms.apply(frame)
    if (effect === 'changed') this.#showRooms()
    else if (effect === 'stale') this.#invalidateRooms()
    else if (effect !== 'unchanged') void this.refreshRoom(effect.fetch)
  }

  #invalidateRooms(): void {
    this.#due ??= setTimeout(() => {
      this.#due = undefined
      void this.queries.invalidateQueries({ queryKey: keys.rooms })
    }, STALE_AFTER_MS)
  }

  #applyToCaches(frame: StreamFrame): void {
    const stale = (queryKey: readonly unknown[]) => void this.queries.invalidateQueries({ queryKey })
    switch (frame.event) {
      case 'reset':
      case 'ready':
        for (const key of [keys.friends, ['requests'], ['members'], ['room']]) stale(key)
        break
      case 'friend':
        for (const key of friendLists) stale(key)
        break
      case 'lists_changed':
        if (frame.data.lists.includes('friends')) for (const key of friendLists) stale(key)
        if (frame.data.lists.includes('rooms')) for (const key of [['members'], ['room']]) stale(key)
        break
      case 'room_updated':
        if (frame.data.members) stale(keys.members(frame.data.room_id))
        break
      case 'room_removed':
        this.queries.removeQueries({ queryKey: keys.room(frame.data.room_id) })
        break
      case 'message_updated':
        if (frame.data.change.endsWith('pinned')) stale(keys.pins(frame.data.room_id))
        break
      case 'message':
        if (frame.data.message.message_type === 'system') stale(keys.members(frame.data.room_id))
        break
      case 'presence':
        this.#showPresence(frame.data)
        break
    }
  }

  #showPresence({ user_id, ...presence }: { user_id: number; online: boolean | null }): void {
    type Friends = { user_id: number }[]
    this.queries.setQueryData<Friends>(keys.friends, (friends) =>
      friends?.map((friend) => (friend.user_id === user_id ? { ...friend, ...presence } : friend)),
    )
  }
}

/** Returns all items of a list by following `next_cursor`. */
export async function allPages<Item>(
  page: (cursor: { cursor?: string }) => Promise<{ items: Item[]; next_cursor: string | null }>,
): Promise<Item[]> {
  const items: Item[] = []
  let cursor: string | null = null
  do {
    const answer = await page(cursor === null ? {} : { cursor })
    items.push(...answer.items)
    cursor = answer.next_cursor
  } while (cursor !== null)
  return items
}

export const ChatContext = createContext<Chat | undefined>(undefined)

/** Returns the signed-in user's chat. Only for components below the sign-in. */
export function useChat(): Chat {
  const chat = useContext(ChatContext)
  if (!chat) throw new Error('No chat above this component.')
  return chat
}
