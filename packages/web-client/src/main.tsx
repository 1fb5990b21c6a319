import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { requestFirstScreen } from './core/first-screen.ts'
import { signedInUser } from './core/session-store.ts'
import { startI18n } from './i18n/index.ts'
import { reloadAfterDeployment } from './reload-after-deployment.ts'
import { loadChat, loadSignIn } from './screens.ts'
import { applyTheme } from './ui/theme.ts'

reloadAfterDeployment()
applyTheme()
const isSignedIn = signedInUser.get() !== undefined
// Loaded in parallel with the texts.
void (isSignedIn ? loadChat() : loadSignIn())
if (isSignedIn) requestFirstScreen(location)
// Top-level await would keep the bundler from merging small chunks.
void startI18n(isSignedIn ? [] : ['pages']).then(() =>
  createRoot(document.querySelector('#app')!).render(<App />),
)
if (import.meta.env.PROD) navigator.serviceWorker?.register('/service-worker.js').catch(() => undefined)
