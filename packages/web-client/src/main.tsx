import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { startI18n } from './i18n/index.ts'
import { applyTheme } from './ui/theme.ts'

// A part of the app that is loaded later is gone once a newer version is deployed.
addEventListener('vite:preloadError', () => location.reload())
applyTheme()
await startI18n()
createRoot(document.querySelector('#app')!).render(<App />)
if (import.meta.env.PROD) navigator.serviceWorker?.register('/service-worker.js').catch(() => undefined)
