export {}

declare const self: ServiceWorkerGlobalScope

const CACHE = 'bigtech-chat-shell'

/** The payload of a push notification. */
interface PushNotice {
  readonly title: string
  readonly body: string
  readonly kind: string
  readonly room_id: number | null
}

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.add('/'))
      .then(() => self.skipWaiting()),
  )
})

self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))

/** Makes the app shell work offline. API responses are never cached. */
self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== location.origin) return
  if (pathname.startsWith('/api') || pathname.startsWith('/stack')) return
  if (request.mode === 'navigate') event.respondWith(freshDocument(request))
  else if (pathname.startsWith('/assets/')) event.respondWith(keptAsset(request))
})

async function freshDocument(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  try {
    const response = await fetch(request)
    if (response.ok) await cache.put('/', response.clone())
    return response
  } catch {
    return (await cache.match('/')) ?? Response.error()
  }
}

/** Returns a cached asset; asset names contain a hash, so their content never changes. */
async function keptAsset(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  const kept = await cache.match(request)
  if (kept) return kept
  const response = await fetch(request)
  if (response.ok) await cache.put(request, response.clone())
  return response
}

self.addEventListener('push', (event) => {
  const notice = event.data?.json() as PushNotice | undefined
  if (notice) event.waitUntil(show(notice))
})

/** Shows a notification, unless a visible window has already informed the user. */
async function show({ title, body, kind, room_id }: PushNotice): Promise<void> {
  const windows = await self.clients.matchAll({ type: 'window' })
  if (windows.some(({ visibilityState }) => visibilityState === 'visible')) return
  await self.registration.showNotification(title, {
    body,
    icon: '/icon-192.png',
    tag: room_id === null ? kind : `room-${room_id}`,
    data: { path: room_id === null ? '/friends' : `/rooms/${room_id}` },
  })
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const { path } = event.notification.data as { path: string }
  event.waitUntil(openApp(path))
})

async function openApp(path: string): Promise<void> {
  const [open] = await self.clients.matchAll({ type: 'window' })
  if (!open) {
    await self.clients.openWindow(path)
    return
  }
  await open.focus()
  open.postMessage({ open: path })
}
