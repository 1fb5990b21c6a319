import type { SessionStore, StoredSession } from '@bigtech/client'

const KEY = 'bigtech-chat.session'
const DEVICE_KEY = 'bigtech-chat.device'

/**
 * Keeps the session over a reload, in this tab alone: two tabs may be two people. That somebody signed in
 * here before is true of the browser, and stays.
 */
export const tabSessionStore: SessionStore = {
  load: () => {
    const text = sessionStorage.getItem(KEY)
    return text ? (JSON.parse(text) as StoredSession) : undefined
  },
  save: (session) => {
    if (session) sessionStorage.setItem(KEY, JSON.stringify(session))
    else sessionStorage.removeItem(KEY)
  },
  loadDevice: () => localStorage.getItem(DEVICE_KEY) ?? undefined,
  saveDevice: (deviceToken) => localStorage.setItem(DEVICE_KEY, deviceToken),
}
