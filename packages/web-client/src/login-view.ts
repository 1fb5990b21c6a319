import { ApiProblem, type Http, registerUser, type Session } from '@bigtech/client'
import { h } from './dom.ts'

/** Sign in, or sign up and sign in. Calls `onSignedIn` when there is a session. */
export function loginView(http: Http, session: Session, onSignedIn: () => void): HTMLElement {
  const error = h('p', { class: 'error', role: 'alert' })
  const field = (name: string, label: string, type: string, autocomplete: string) =>
    h('label', {}, label, h('input', { name, type, autocomplete, required: true }))
  const signUpOnly = h('div', { hidden: true }, field('username', 'Username', 'text', 'username'))
  const submit = h('button', { type: 'submit' }, 'Sign in')
  const toggle = h('button', { type: 'button', class: 'link', click: () => setMode(!signingUp) }, '')
  let signingUp = false

  const form = h(
    'form',
    { class: 'login', submit: (event) => void onSubmit(event) },
    h('h1', {}, 'BigTech Chat'),
    field('email', 'Email', 'text', 'email'),
    signUpOnly,
    field('password', 'Password', 'password', 'current-password'),
    error,
    submit,
    toggle,
  )

  function setMode(next: boolean): void {
    signingUp = next
    signUpOnly.hidden = !next
    for (const input of signUpOnly.querySelectorAll('input')) input.disabled = !next
    submit.textContent = next ? 'Sign up' : 'Sign in'
    toggle.textContent = next ? 'I have an account' : 'Create an account'
  }

  async function onSubmit(event: Event): Promise<void> {
    event.preventDefault()
    const values = Object.fromEntries(new FormData(form)) as Record<string, string>
    const { email = '', username = '', password = '' } = values
    submit.disabled = true
    error.textContent = ''
    try {
      if (signingUp) await http.call(registerUser, { body: { email, username, password } })
      await session.login(email, password)
      onSignedIn()
    } catch (err) {
      error.textContent = explain(err)
    } finally {
      submit.disabled = false
    }
  }

  setMode(false)
  return form
}

/** A failure in words for the person in front of the page. */
export function explain(err: unknown): string {
  if (!(err instanceof ApiProblem)) return 'The server cannot be reached. Try again in a moment.'
  const fields = err.errors.map(({ field, message }) => `${field}: ${message}`)
  return fields.length > 0 ? fields.join(' ') : err.message
}
