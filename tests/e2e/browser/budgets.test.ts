import { gzipSync } from 'node:zlib'
import { messageExample } from '@bigtech/contracts'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { befriend, expectStatus, http, newPerson, type Person, stack } from '../stack.ts'
import { bubble, composer, launchBrowser, openApp } from './app.ts'

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

const KIB = 1_024

/** Bytes of documents, scripts and styles that a page loads, each compressed by gzip. */
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

it('the first load is at most 110 KiB gzip, and an open room at most 160 KiB from an empty cache', async () => {
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
  expect(firstBytes).toBeLessThan(110 * KIB)
  expect(wholeBytes).toBeLessThan(160 * KIB)
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
  // Reading it and what follows from that is over.
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

const HISTORY = 10_000

/** A page of a made-up history: storing ten thousand messages is not what is measured. */
function pageOfHistory(url: URL): unknown {
  const limit = Number(url.searchParams.get('limit') ?? 50)
  const before = Number(url.searchParams.get('before_seq') ?? HISTORY + 1)
  const around = Number(url.searchParams.get('around_seq') ?? 0)
  const from = Math.max(1, around ? around - limit / 2 : before - limit)
  const items = Array.from({ length: Math.min(limit, HISTORY + 1 - from) }, (_, at) => ({
    ...messageExample,
    message_id: `${room}:${String(from + at).padStart(12, '0')}`,
    room_id: room,
    seq: from + at,
    user_id: (from + at) % 3 ? juno.id : mina.id,
    content: `${from + at}번째 메시지 `.repeat(1 + ((from + at) % 7)),
    created_at: new Date(1_700_000_000_000 + (from + at) * 20_000).toISOString(),
    client_message_id: null,
    reactions: [],
  }))
  return { items, next_cursor: null, last_seq: HISTORY, last_cseq: 0 }
}

it('scrolling through a history of 10,000 messages keeps the document small and each frame short', async () => {
  const { page, close } = await openApp(browser, mina, { at: '/rooms' })
  await page.route('**/api/messages/*?**', (route) =>
    route.fulfill({ json: pageOfHistory(new URL(route.request().url())) }),
  )
  const items = [mina, juno].map(({ id }) => ({ user_id: id, seq: HISTORY }))
  await page.route('**/api/rooms/*/read', (route) => route.fulfill({ json: { items } }))
  await page.locator(`[data-room-id="${room}"] > a`).click()
  await page.locator(`.message[data-seq="${HISTORY}"]`).waitFor()
  const cdp = await page.context().newCDPSession(page)
  // CPU time of the page's thread: what else runs on the machine does not count.
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
  const scripted = async () => {
    const { metrics } = await cdp.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'ScriptDuration')?.value ?? 0
  }
  const before = await scripted()
  const steps = 150
  let mostRows = 0
  for (let step = 0; step < steps; step++) {
    mostRows = Math.max(
      mostRows,
      await page.locator('.log').evaluate((log) => {
        log.scrollTop = Math.max(0, log.scrollTop - 700)
        return log.querySelectorAll('.log-row').length
      }),
    )
    await page.evaluate('new Promise((resolve) => requestAnimationFrame(resolve))')
  }
  const perStepMs = ((await scripted()) - before) * (1_000 / steps)
  const shown = await page
    .locator('.message')
    .evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('data-seq'))))
  const first = Math.min(...shown)
  console.log(`scrolled to ${first}, ${perStepMs.toFixed(1)} ms of script a step, at most ${mostRows} rows`)
  expect(first).toBeLessThan(HISTORY - 500)
  expect(mostRows).toBeLessThan(80)
  expect(perStepMs).toBeLessThan(16)
  await close()
}, 90_000)
