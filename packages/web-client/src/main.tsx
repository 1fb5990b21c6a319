import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { signedInUser } from './core/session-store.ts'
import { startI18n } from './i18n/index.ts'
import { applyTheme } from './ui/theme.ts'

// A part of the app that is loaded later is gone once a newer version is deployed.
addEventListener('vite:preloadError', () => location.reload())
applyTheme()
// Fetched beside the texts, not after them.
void (signedInUser.get() === undefined ? import('./auth/sign-in-page.tsx') : import('./chat-app.tsx'))
await startI18n()
createRoot(document.querySelector('#app')!).render(<App />)
if (import.meta.env.PROD) navigator.serviceWorker?.register('/service-worker.js').catch(() => undefined)
