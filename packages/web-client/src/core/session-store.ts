import type { SessionStore, StoredSession } from '@bigtech/client'
import { Store } from './store.ts'

const KEY = 'bigtech-chat.session'
const DEVICE_KEY = 'bigtech-chat.device'

/** The signed-in user's id. Follows what the other tabs of this browser do. */
export const signedInUser = new Store<number | undefined>(load()?.userId)

function load(): StoredSession | undefined {
  const text = localStorage.getItem(KEY)
  return text ? (JSON.parse(text) as StoredSession) : undefined
}

/** Shared by all tabs of the browser: docs/adr/0030 weighs this against a cookie. */
export const sharedSessionStore: SessionStore = {
  load,
  save: (session) => {
    if (session) localStorage.setItem(KEY, JSON.stringify(session))
    else localStorage.removeItem(KEY)
    signedInUser.set(session?.userId)
  },
  loadDevice: () => localStorage.getItem(DEVICE_KEY) ?? undefined,
  saveDevice: (deviceToken) => localStorage.setItem(DEVICE_KEY, deviceToken),
}

addEventListener('storage', ({ key }) => {
  if (key === KEY || key === null) signedInUser.set(load()?.userId)
})
