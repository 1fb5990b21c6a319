import {
  ChatStream,
  eventSourceTransport,
  type Http,
  type Room,
  type Session,
  type StreamFrame,
  type StreamState,
} from '@bigtech/client'
import { addFriend } from './add-friend.ts'
import { h } from './dom.ts'
import { RoomList } from './room-list.ts'
import { RoomPane } from './room-pane.ts'

const stateText: Record<StreamState, string> = {
  connecting: 'Connecting…',
  open: 'Connected',
  waiting: 'No connection. Trying again…',
  closed: 'Signed out',
}

/** The signed-in page: rooms on the left, one room on the right, one stream for all of it. */
export function chatView(http: Http, session: Session, onSignedOut: () => void): HTMLElement {
  const light = h('span', { class: 'state' })
  const main = h('section', { class: 'room' }, h('p', { class: 'typing quiet' }, 'Choose a room.'))
  const requests = addFriend(session)
  const list = new RoomList(session, open)
  let pane: RoomPane | undefined

  const stream = new ChatStream({
    session,
    transport: eventSourceTransport(http, session),
    listener: {
      onFrame: receive,
      onState: (state) => {
        light.dataset.state = state
        light.title = stateText[state]
      },
    },
  })

  function open(room: Room): void {
    pane = new RoomPane(session, room)
    main.replaceChildren(...pane.elements)
    void pane.load()
  }

  function receive(frame: StreamFrame): void {
    list.apply(frame)
    pane?.apply(frame)
    if (frame.event === 'reset' || frame.event === 'friend') requests.refresh()
  }

  const ended = new AbortController()
  document.addEventListener('visibilitychange', () => pane?.seen(), { signal: ended.signal })

  async function signOut(): Promise<void> {
    ended.abort()
    stream.close()
    await session.logout()
    onSignedOut()
  }

  stream.start()
  const header = h(
    'header',
    {},
    light,
    h('strong', {}, 'Chats'),
    h('button', { class: 'link', click: () => void signOut() }, 'Sign out'),
  )
  return h(
    'main',
    { class: 'chat' },
    h('aside', { class: 'sidebar' }, header, list.element, requests.element),
    main,
  )
}
