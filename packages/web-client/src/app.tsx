import { Suspense, useEffect } from 'react'
import { useLocation } from 'wouter'
import { GOOGLE_PATH } from './auth/google-path.ts'
import { linkKindOf } from './auth/link-kind.ts'
import { sessionEnded } from './core/api.ts'
import { signedInUser } from './core/session-store.ts'
import { useStore } from './core/store.ts'
import { lazyOrFailed, lazyWithTexts } from './i18n/lazy-with-texts.tsx'
import { loadChat, loadSignIn } from './screens.ts'
import { Spinner } from './ui/spinner.tsx'

const ChatApp = lazyOrFailed(loadChat)
const SignInPage = lazyWithTexts('pages', loadSignIn)
const GooglePage = lazyWithTexts('pages', () => import('./auth/google-page.tsx'))
const AccountLinkPage = lazyWithTexts('pages', () => import('./auth/account-link-page.tsx'))

/** Shows a mail link's page, the sign-in page, or the chat; in sync with the other tabs of the browser. */
export function App() {
  const userId = useStore(signedInUser)
  const [path, navigate] = useLocation()
  const link = linkKindOf(path)
  useEffect(() => {
    if (userId !== undefined) sessionEnded.set(false)
    else document.title = 'BigTech Chat'
  }, [userId])
  if (path === GOOGLE_PATH) {
    return (
      <Suspense fallback={<Spinner isPage />}>
        <GooglePage onDone={(next) => navigate(next, { replace: true })} />
      </Suspense>
    )
  }
  // An archive requires its signed-in owner; the address stays during the sign-in.
  if (link && !(link === 'export' && userId === undefined)) {
    return (
      <Suspense fallback={<Spinner isPage />}>
        <AccountLinkPage kind={link} onDone={() => navigate('/rooms', { replace: true })} />
      </Suspense>
    )
  }
  return (
    <Suspense fallback={<Spinner isPage />}>
      {userId === undefined ? <SignInPage /> : <ChatApp key={userId} userId={userId} />}
    </Suspense>
  )
}
