import { deletePushSubscription, listPushSubscriptions, putPushSubscription } from '@bigtech/client'
import { call } from './api.ts'

const ID_KEY = 'bigtech-chat.push'

/** Returns whether Web Push is supported: requires a service worker and therefore a secure context. */
export function pushSupport(): 'yes' | 'no' {
  return 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window ? 'yes' : 'no'
}

export async function isPushEnabled(): Promise<boolean> {
  const registration = await navigator.serviceWorker.getRegistration()
  return (await registration?.pushManager.getSubscription()) != null
}

/** Requests the permission and subscribes this browser. */
export async function enablePush(): Promise<'enabled' | 'denied' | 'unavailable'> {
  const { vapid_public_key } = await call(listPushSubscriptions, {})
  if (!vapid_public_key) return 'unavailable'
  if ((await Notification.requestPermission()) !== 'granted') return 'denied'
  const registration = await navigator.serviceWorker.ready
  const subscription = await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: vapid_public_key,
  })
  const { endpoint, keys } = subscription.toJSON()
  const body = { endpoint: endpoint ?? '', keys: { p256dh: keys?.p256dh ?? '', auth: keys?.auth ?? '' } }
  const { subscription_id } = await call(putPushSubscription, { body })
  localStorage.setItem(ID_KEY, subscription_id)
  return 'enabled'
}

export async function disablePush(): Promise<'disabled'> {
  const registration = await navigator.serviceWorker.getRegistration()
  await (await registration?.pushManager.getSubscription())?.unsubscribe()
  const subscription_id = localStorage.getItem(ID_KEY)
  localStorage.removeItem(ID_KEY)
  if (subscription_id)
    await call(deletePushSubscription, { params: { subscription_id } }).catch(() => undefined)
  return 'disabled'
}
