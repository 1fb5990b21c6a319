import './no-eval.ts'
import { Http, Session } from '@bigtech/client'
import { chatView } from './chat-view.ts'
import { loginView } from './login-view.ts'
import { tabSessionStore } from './session-store.ts'

const root = document.querySelector('#app')!
const http = new Http({ baseUrl: `${location.origin}/api` })
const session = new Session(http, tabSessionStore, () => show())

function show(): void {
  const view = session.current ? chatView(http, session, show) : loginView(http, session, show)
  root.replaceChildren(view)
}

show()
