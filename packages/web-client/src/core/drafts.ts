import { Store } from './store.ts'

const PREFIX = 'bigtech-chat.draft.'

/** Incremented on every change, to re-render components that show drafts. */
export const drafts = new Store(0)

const keyOf = (userId: number, roomId: number) => `${PREFIX}${userId}.${roomId}`

export function draftOf(userId: number, roomId: number): string {
  return localStorage.getItem(keyOf(userId, roomId)) ?? ''
}

/** Stores an unsent draft, which survives reloads and is shared by all tabs. */
export function keepDraft(userId: number, roomId: number, text: string): void {
  if (text.trim()) localStorage.setItem(keyOf(userId, roomId), text)
  else localStorage.removeItem(keyOf(userId, roomId))
  drafts.update((count) => count + 1)
}

addEventListener('storage', ({ key }) => {
  if (key?.startsWith(PREFIX)) drafts.update((count) => count + 1)
})
