import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { signedInUser } from './core/session-store.ts'
import { startI18n } from './i18n/index.ts'
import { loadChat, loadSignIn } from './screens.ts'
import { applyTheme } from './ui/theme.ts'

// A part of the app that is loaded later is gone once a newer version is deployed.
addEventListener('vite:preloadError', () => location.reload())
applyTheme()
const isSignedIn = signedInUser.get() !== undefined
// Fetched beside the texts, not after them.
void (isSignedIn ? loadChat() : loadSignIn())
// Awaited at the top level, this would keep the bundler from merging small chunks.
void startI18n(isSignedIn ? [] : ['pages']).then(() =>
  createRoot(document.querySelector('#app')!).render(<App />),
)
if (import.meta.env.PROD) navigator.serviceWorker?.register('/service-worker.js').catch(() => undefined)
