import { lazy, Suspense, useEffect } from 'react'
import { SignInPage } from './auth/sign-in-page.tsx'
import { sessionEnded } from './core/api.ts'
import { signedInUser } from './core/session-store.ts'
import { useStore } from './core/store.ts'
import { Spinner } from './ui/spinner.tsx'

const ChatApp = lazy(() => import('./chat-app.tsx'))

/** The sign-in page or the chat, in step with the other tabs of the browser. */
export function App() {
  const userId = useStore(signedInUser)
  useEffect(() => {
    if (userId !== undefined) sessionEnded.set(false)
    else document.title = 'BigTech Chat'
  }, [userId])
  if (userId === undefined) return <SignInPage />
  return (
    <Suspense fallback={<Spinner isPage />}>
      <ChatApp key={userId} userId={userId} />
    </Suspense>
  )
}
