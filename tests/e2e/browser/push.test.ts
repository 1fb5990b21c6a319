import { waitFor } from '@bigtech/testkit'
import type { Browser, BrowserContext, CDPSession, Page, Worker } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stack } from '../stack.ts'
import { launchBrowser } from './app.ts'

let browser: Browser

beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())

interface Notice {
  readonly title: string
  readonly body: string
  readonly tag: string
  readonly path: string
}

/** Hands the service worker what a push service would deliver. */
async function deliver(cdp: CDPSession, registrationId: string, notice: unknown): Promise<void> {
  await cdp.send('ServiceWorker.deliverPushMessage', {
    origin: stack.gateway,
    registrationId,
    data: JSON.stringify(notice),
  })
}

const shown = (worker: Worker): Promise<Notice[]> =>
  worker.evaluate(`self.registration.getNotifications().then((notices) =>
    notices.map(({ title, body, tag, data }) => ({ title, body, tag, path: data.path })))`)

/**
 * Delivers a push again until its notification is shown: on a busy machine Chromium was seen to show only one of two. A second
 * one of a room replaces the first.
 */
async function untilShown(
  worker: Worker,
  { body }: { body: string },
  push: () => Promise<void>,
): Promise<void> {
  let pushedAt = Number.NEGATIVE_INFINITY
  const isShown = async () => {
    if (performance.now() - pushedAt > 3_000) {
      await push()
      pushedAt = performance.now()
    }
    return (await shown(worker)).some((notice) => notice.body === body)
  }
  await waitFor(isShown, { timeoutMs: 20_000, what: `the notification ${body}` })
}

const openWindows = (worker: Worker): Promise<number> =>
  worker.evaluate(`self.clients.matchAll({ type: 'window' }).then(({ length }) => length)`)

async function openWithWorker(context: BrowserContext): Promise<{
  page: Page
  worker: Worker
  cdp: CDPSession
  registrationId: string
}> {
  const page = await context.newPage()
  const cdp = await context.newCDPSession(page)
  const registered = new Promise<string>((resolve) => {
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const [first] = registrations
      if (first) resolve(first.registrationId)
    })
  })
  await cdp.send('ServiceWorker.enable')
  await page.goto(stack.gateway)
  await page.evaluate('navigator.serviceWorker.ready')
  const registrationId = await registered
  const worker = await waitFor(() => context.serviceWorkers()[0], { what: 'the service worker' })
  return { page, worker, cdp, registrationId }
}

it('a push shows a notification of its room, one for each room, unless a window of the app is visible', async () => {
  const context = await browser.newContext({ locale: 'ko-KR' })
  await context.grantPermissions(['notifications'], { origin: stack.gateway })
  const { page, worker, cdp, registrationId } = await openWithWorker(context)
  const message = { title: '박준오', body: '어디예요?', kind: 'message', room_id: 7 }
  await worker.evaluate(`{ self.pushes = 0; self.addEventListener('push', () => self.pushes++) }`)
  await deliver(cdp, registrationId, { ...message, room_id: 8 })
  await waitFor(() => worker.evaluate<number>('self.pushes'), { what: 'the first push' })
  // Answered after the worker has asked the same for that push.
  await openWindows(worker)
  await page.goto('about:blank')
  // The worker learns about the navigation later; a push before that still meets a visible window.
  await waitFor(() => openWindows(worker), {
    until: (windows) => windows === 0,
    what: 'the worker to see no window of the app',
  })
  const show = (notice: { body: string }) =>
    untilShown(worker, notice, () => deliver(cdp, registrationId, notice))
  await show({ ...message, body: '도착했어요' })
  const request = { title: '이소라', body: '친구 요청', kind: 'friend_request', room_id: null }
  await show(request)
  expect(await shown(worker)).toEqual([
    { title: '이소라', body: '친구 요청', tag: 'friend_request', path: '/friends' },
    { title: '박준오', body: '도착했어요', tag: 'room-7', path: '/rooms/7' },
  ])
  await show({ ...message, body: '어디 있어요?' })
  expect((await shown(worker)).map(({ tag }) => tag)).toEqual(['friend_request', 'room-7'])
  await context.close()
}, 60_000)

it('choosing a notification takes the open window of the app to its room', async () => {
  const context = await browser.newContext({ locale: 'en-US' })
  const { page, worker } = await openWithWorker(context)
  const told = page.evaluate<{ open: string }>(`new Promise((resolve) =>
    navigator.serviceWorker.addEventListener('message', ({ data }) => resolve(data)))`)
  // Only a user's click may focus a window, and this test has none.
  await worker.evaluate(`{
    WindowClient.prototype.focus = async function () { return this }
    const event = new ExtendableEvent('notificationclick')
    event.notification = { close() {}, data: { path: '/rooms/7' } }
    self.dispatchEvent(event)
  }`)
  expect(await told).toEqual({ open: '/rooms/7' })
  await context.close()
}, 60_000)
