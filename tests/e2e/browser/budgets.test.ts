import { gzipSync } from 'node:zlib'
import { waitFor } from '@bigtech/testkit'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { befriend, expectStatus, http, newPerson, type Person, stack } from '../stack.ts'
import { bubble, composer, launchBrowser, openApp } from './app.ts'
import { HISTORY, openLongHistory, scrollBack } from './long-history.ts'

let browser: Browser
let mina: Person
let juno: Person
let room: number

beforeAll(async () => {
  browser = await launchBrowser()
  mina = await newPerson('김미나')
  juno = await newPerson('박준오')
  room = await befriend(mina, juno)
}, 60_000)
afterAll(() => browser?.close())

/** Returns a counter of a page's loaded bytes of documents, scripts and styles, compressed by gzip. */
function countBytes(page: Page): () => Promise<number> {
  const bodies: Promise<Buffer>[] = []
  page.on('response', (response) => {
    const { pathname } = new URL(response.url())
    if (!pathname.startsWith('/api/') && !pathname.startsWith('/icon')) bodies.push(response.body())
  })
  return async () => {
    const loaded = await Promise.all(bodies)
    return loaded.reduce((sum, body) => sum + gzipSync(body).length, 0)
  }
}

it('the first load is at most 115,000 bytes gzip, and an open room at most 149,000 bytes from an empty cache', async () => {
  const context = await browser.newContext({ locale: 'ko-KR', serviceWorkers: 'block' })
  const page = await context.newPage()
  const first = countBytes(page)
  await page.goto(stack.gateway)
  await page.locator('input[name=password]').waitFor()
  const firstBytes = await first()
  await context.close()
  const app = await openApp(browser, mina)
  const fresh = await app.context.newPage()
  const whole = countBytes(fresh)
  await fresh.goto(`${stack.gateway}/rooms/${room}`)
  await composer(fresh).waitFor()
  await fresh.waitForLoadState('networkidle').catch(() => undefined)
  const wholeBytes = await whole()
  console.log(`first load ${firstBytes} bytes, an open room ${wholeBytes} bytes`)
  expect(firstBytes).toBeLessThan(115_000)
  expect(wholeBytes).toBeLessThan(149_000)
  await app.close()
}, 60_000)

it('an open room requests its data once, while the code that shows the data is still loading', async () => {
  const requested: string[] = []
  const counts = () =>
    [`/api/rooms?`, `/api/rooms/${room}/members`, `/api/rooms/${room}/read`, `/api/messages/${room}?`].map(
      (start) => requested.filter((path) => path.startsWith(start)).length,
    )
  const isRequested = () => counts().every((count) => count > 0)
  const app = await openApp(browser, mina, {
    at: `/rooms/${room}`,
    prepare: async (context) => {
      context.on('request', (request) => requested.push(request.url().slice(stack.gateway.length)))
      // The stream's first frame has everything fetched again.
      await context.route('**/api/stream/**', (route) => route.abort())
      await context.route('**/assets/chat-app-*.js', async (route) => {
        await waitFor(isRequested, { what: 'requests of the open room' })
        await route.continue()
      })
    },
  })
  await app.page.locator('.log').waitFor()
  expect(counts()).toEqual([1, 1, 1, 1])
  await app.close()
}, 60_000)

it('a message changes at most five nodes of an open room', async () => {
  const { page, close } = await openApp(browser, mina, { at: `/rooms/${room}` })
  await composer(page).waitFor()
  const send = (content: string) =>
    expectStatus(
      201,
      http('POST', `${stack.chat}/messages/${room}`, { token: juno.token, json: { content } }),
    )
  for (let count = 1; count <= 20; count++) await send(`앞선 메시지 ${count}`)
  await bubble(page, '앞선 메시지 20').waitFor()
  // The effects of reading the message are over.
  await page.waitForTimeout(1_500)
  await page.evaluate(`(() => {
    window.changed = new Set()
    new MutationObserver((records) => {
      for (const { type, target, addedNodes, removedNodes } of records) {
        if (type !== 'childList') window.changed.add(target)
        for (const node of [...addedNodes, ...removedNodes]) window.changed.add(node)
      }
    }).observe(document.querySelector('.log'), {
      subtree: true, childList: true, attributes: true, characterData: true,
    })
  })()`)
  await send('이 메시지')
  await bubble(page, '이 메시지').waitFor()
  const changed = await page.evaluate('window.changed.size')
  expect(changed).toBeLessThanOrEqual(5)
  await close()
}, 60_000)

it('scrolling through 10,000 messages keeps the document small and each frame short', async () => {
  const { page, close } = await openApp(browser, mina, { at: '/rooms' })
  await openLongHistory(page, room, [mina, juno])
  const cdp = await page.context().newCDPSession(page)
  // CPU time of the page's thread, which excludes other processes.
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
  const scripted = async () => {
    const { metrics } = await cdp.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'ScriptDuration')?.value ?? 0
  }
  const before = await scripted()
  const steps = 150
  const { first, mostRows } = await scrollBack(page, steps)
  const perStepMs = ((await scripted()) - before) * (1_000 / steps)
  console.log(`scrolled to ${first}, ${perStepMs.toFixed(1)} ms of script a step, at most ${mostRows} rows`)
  expect(first).toBeLessThan(HISTORY - 500)
  expect(mostRows).toBeLessThan(80)
  expect(perStepMs).toBeLessThan(16)
  await close()
}, 90_000)
