import {
  acceptFriendRequest,
  listFriendRequests,
  type Session,
  searchUsers,
  sendFriendRequest,
} from '@bigtech/client'
import { h } from './dom.ts'
import { explain } from './login-view.ts'

/** Finding people, asking them, and answering those who ask. The 1:1 room opens by itself. */
export function addFriend(session: Session): { element: HTMLElement; refresh: () => void } {
  const note = h('p', { class: 'quiet', role: 'status' })
  const incoming = h('div', { class: 'incoming' })
  const input = h('input', { name: 'q', placeholder: 'Find people', autocomplete: 'off' })
  const found = h('div', { class: 'found' })

  async function attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (err) {
      note.textContent = explain(err)
    }
  }

  const search = () =>
    attempt(async () => {
      const q = input.value.trim()
      if (!q) return
      const { items } = await session.call(searchUsers, { query: { q, limit: 5 } })
      note.textContent = items.length === 0 ? 'Nobody found.' : ''
      found.replaceChildren(
        ...items.map(({ user_id, display_name, username }) =>
          h('button', { class: 'link', click: () => void ask(user_id) }, `+ ${display_name} (${username})`),
        ),
      )
    })

  const ask = (target_user_id: number) =>
    attempt(async () => {
      const { status } = await session.call(sendFriendRequest, { body: { target_user_id } })
      found.replaceChildren()
      note.textContent = status === 'accepted' ? 'You are friends now.' : 'Request sent.'
    })

  const refresh = () =>
    void attempt(async () => {
      const { items } = await session.call(listFriendRequests, { query: { direction: 'incoming', limit: 5 } })
      incoming.replaceChildren(
        ...items.map(({ request_id, user }) =>
          h('button', { click: () => void accept(request_id) }, `Accept ${user.display_name}`),
        ),
      )
    })

  const accept = (id: number) =>
    attempt(async () => {
      await session.call(acceptFriendRequest, { params: { id } })
      refresh()
    })

  const form = h(
    'form',
    {
      submit: (event) => {
        event.preventDefault()
        void search()
      },
    },
    h('div', {}, input, h('button', { type: 'submit' }, 'Find')),
  )
  return { element: h('div', { class: 'add' }, incoming, form, found, note), refresh }
}
