import { type SessionStore, webSessionStore } from '@bigtech/client'
import { Store } from './store.ts'

const KEY = 'bigtech-chat.session'
const store = webSessionStore(localStorage, KEY)

/** The signed-in user's id. Follows what the other tabs of this browser do. */
export const signedInUser = new Store<number | undefined>(store.load()?.userId)

/** Shared by all tabs of the browser: docs/adr/0013 weighs this against a cookie. */
export const sharedSessionStore: SessionStore = {
  ...store,
  save: (session) => {
    store.save(session)
    signedInUser.set(session?.userId)
  },
}

addEventListener('storage', ({ key }) => {
  if (key === KEY || key === null) signedInUser.set(store.load()?.userId)
})
