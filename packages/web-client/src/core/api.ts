import { Http, Session } from '@bigtech/client'
import { CallAhead } from './call-ahead.ts'
import { sharedSessionStore } from './session-store.ts'
import { Store } from './store.ts'

/** Whether the sign-in page is shown because a session ended. */
export const sessionEnded = new Store(false)

export const http = new Http({ baseUrl: `${location.origin}/api` })
export const session = new Session(http, sharedSessionStore, () => sessionEnded.set(true))
export const ahead = new CallAhead(session)

/** Calls an operation as the signed-in user. */
export const { call } = ahead
