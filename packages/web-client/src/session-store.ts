import type { SessionStore, StoredSession } from '@bigtech/client'

const KEY = 'bigtech-chat.session'

/** Keeps the session over a reload, in this tab alone: two tabs may be two people. */
export const tabSessionStore: SessionStore = {
  load: () => {
    const text = sessionStorage.getItem(KEY)
    return text ? (JSON.parse(text) as StoredSession) : undefined
  },
  save: (session) => {
    if (session) sessionStorage.setItem(KEY, JSON.stringify(session))
    else sessionStorage.removeItem(KEY)
  },
}
