import { type SessionStore, webSessionStore } from '@bigtech/client'
import { Store } from './store.ts'

const KEY = 'bigtech-chat.session'
const store = webSessionStore(localStorage, KEY)

/** The signed-in user's id, synchronized between the tabs of this browser. */
export const signedInUser = new Store<number | undefined>(store.load()?.userId)

/** Shared by all tabs of the browser: docs/adr/0013 compares this with a cookie. */
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
