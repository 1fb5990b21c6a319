const KEY = 'bigtech-chat.reloadedAt'
const AT_MOST_EVERY_MS = 60_000

/** Reloads the page when a chunk cannot be loaded: those of an old version are gone after a deployment. */
export function reloadAfterDeployment(): void {
  addEventListener('vite:preloadError', () => {
    const sinceMs = Date.now() - Number(sessionStorage.getItem(KEY))
    // Without a server a reload changes nothing, and the page would reload endlessly.
    if (!navigator.onLine || sinceMs < AT_MOST_EVERY_MS) return
    sessionStorage.setItem(KEY, String(Date.now()))
    location.reload()
  })
}
