import { waitFor } from '@bigtech/testkit'
import type { Browser, BrowserContext, Page, Request } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { befriend, expectStatus, http, newPerson, type Person, stack } from '../stack.ts'
import { bubble, composer, launchBrowser, openApp, openTab, phone, write } from './app.ts'

let browser: Browser
let mina: Person
let juno: Person
let room: number

beforeAll(async () => {
  browser = await launchBrowser()
  mina = await newPerson('김미나')
  juno = await newPerson('박준오')
  room = await befriend(mina, juno)
  for (let count = 1; count <= 140; count++) await send(juno, `메시지 ${count}`)
}, 180_000)
afterAll(() => browser?.close())

async function send(from: Person, content: string): Promise<void> {
  const send = () => http('POST', `${stack.chat}/messages/${room}`, { token: from.token, json: { content } })
  const { status, headers } = await send()
  if (status === 201) return
  await new Promise((resolve) => setTimeout(resolve, Number(headers.get('retry-after') ?? 1) * 1_000))
  await expectStatus(201, send())
}

const rowCount = (page: Page) => page.locator('.log-row').count()

it('a room opens at its first unread message, pages in both directions, and marks only shown messages as read', async () => {
  const { page, complaints, close } = await openApp(browser, mina, { at: `/rooms/${room}` })
  await page.locator('.unread-line').waitFor()
  await bubble(page, '메시지 1').waitFor()
  expect(await bubble(page, '메시지 140').count()).toBe(0)
  await page.locator('.jump').waitFor()
  // The document contains far fewer rows than messages.
  expect(await rowCount(page)).toBeLessThan(60)
  const before = await positionOf(mina)
  expect(before).toBeLessThan(140)
  for (let turn = 0; turn < 60 && (await bubble(page, '메시지 140').count()) === 0; turn++) {
    await page.locator('.log').evaluate((log) => {
      log.scrollTop += 600
    })
    await page.waitForTimeout(50)
  }
  // In the document ahead of the viewport: not read before it is scrolled into view.
  await page.locator('.log').evaluate((log) => {
    log.scrollTop = log.scrollHeight
  })
  await waitFor(async () => (await positionOf(mina)) === 140, { what: 'the last message to be read' })
  expect(complaints).toEqual([])
  await close()
}, 90_000)

async function positionOf(person: Person): Promise<number> {
  const { body } = await http('GET', `${stack.chat}/rooms/${room}/read`, { token: person.token })
  return body.items.find(({ user_id }: { user_id: number }) => user_id === person.id).seq
}

/** Without unread messages a room opens at its end. */
async function readAll(person: Person): Promise<void> {
  const { token } = person
  const { body } = await http('GET', `${stack.chat}/messages/${room}?limit=1`, { token })
  await expectStatus(
    200,
    http('PUT', `${stack.chat}/rooms/${room}/read`, { token, json: { seq: body.last_seq } }),
  )
}

it('a user reading the past keeps the scroll position and is notified of new messages', async () => {
  const { page, close } = await openApp(browser, mina, { at: `/rooms/${room}?at=20` })
  await bubble(page, '메시지 20').waitFor()
  const top = () => bubble(page, '메시지 20').evaluate((element) => element.getBoundingClientRect().top)
  const place = await top()
  await send(juno, '새 소식')
  await page.locator('.jump', { hasText: /new message/ }).waitFor()
  expect(Math.abs((await top()) - place)).toBeLessThan(4)
  await page.locator('.jump').click()
  await bubble(page, '새 소식').waitFor()
  // Nothing is missing between the two positions.
  await bubble(page, '메시지 140').waitFor()
  await page.locator('.jump').waitFor({ state: 'detached' })
  await close()
}, 60_000)

it('a stream that starts late reloads the part the user is viewing', async () => {
  let begin = () => {}
  let nextPage: Promise<unknown> | undefined
  const { page, close } = await openApp(browser, mina, {
    at: `/rooms/${room}?at=20`,
    prepare: async (context) => {
      nextPage = context.waitForEvent('response', (response) => response.url().includes('after_seq='))
      begin = await holdStream(context)
    },
  })
  await bubble(page, '메시지 20').waitFor()
  // From now on the middle of the loaded part differs from the middle of the screen.
  await nextPage
  const fetchedAgain = page.waitForResponse(/messages\/\d+\?.*around_seq/)
  begin()
  await fetchedAgain
  await send(juno, '늦은 소식')
  await page.locator('.jump', { hasText: /new message/ }).waitFor()
  expect(await bubble(page, '메시지 20').count()).toBe(1)
  await page.locator('.jump').click()
  await bubble(page, '늦은 소식').waitFor()
  await close()
}, 60_000)

/** Whether a bubble is in view, and not only in the document. */
const isInView = (page: Page, text: string) =>
  bubble(page, text).evaluate((element) => {
    const log = element.closest('.log')!.getBoundingClientRect()
    const { top, bottom } = element.getBoundingClientRect()
    return top >= log.top && bottom <= log.bottom
  })

const becomesInView = (page: Page, text: string) =>
  waitFor(async () => (await bubble(page, text).count()) === 1 && (await isInView(page, text)), {
    what: `"${text}" in view`,
  })

/** Holds the stream back until the returned function is called. */
async function holdStream(context: BrowserContext): Promise<() => void> {
  const { promise: mayBegin, resolve: begin } = Promise.withResolvers<void>()
  await context.route('**/api/stream/tickets', async (route) => {
    await mayBegin
    await route.continue()
  })
  return begin
}

it('a room stays at its newest message when the browser reports its first scroll late and the stream reloads it meanwhile', async () => {
  await readAll(mina)
  const pages: string[] = []
  let beginStream = () => {}
  const { page, close } = await openApp(browser, mina, {
    at: `/rooms/${room}`,
    prepare: async (context) => {
      context.on('request', (request) => {
        const { pathname, search } = new URL(request.url())
        if (pathname === `/api/messages/${room}`) pages.push(search)
      })
      beginStream = await holdStream(context)
      // A busy browser delivers scroll events late.
      await context.addInitScript(
        "addEventListener('scroll', (event) => window.scrolls !== 'reported' && event.stopImmediatePropagation(), true)",
      )
    },
  })
  await page.locator('.log-row').first().waitFor()
  beginStream()
  await waitFor(() => pages.length > 1, { what: 'the reload' })
  await page.evaluate("window.scrolls = 'reported'")
  await send(juno, '늦은 화면에')
  await becomesInView(page, '늦은 화면에')
  // The newest page twice: neither an older page nor one around another message.
  expect(pages).toEqual(['?limit=50', '?limit=50'])
  await close()
}, 60_000)

it('a log at its end stays there while the composer grows, the window shrinks and a burst of messages arrives', async () => {
  await readAll(mina)
  const { page, close } = await openApp(browser, mina, { at: `/rooms/${room}`, size: phone })
  await send(juno, '마지막 줄')
  await becomesInView(page, '마지막 줄')
  await composer(page).fill('한 줄\n두 줄\n세 줄\n네 줄\n다섯 줄')
  await becomesInView(page, '마지막 줄')
  await composer(page).press('End')
  await composer(page).press('x')
  await becomesInView(page, '마지막 줄')
  // As a keyboard on the screen does.
  await page.setViewportSize({ ...phone, height: 420 })
  await becomesInView(page, '마지막 줄')
  await page.setViewportSize(phone)
  await Promise.all([1, 2, 3, 4, 5].map((count) => send(juno, `긴 소식 ${count}\n`.repeat(6).trim())))
  await send(juno, '끝 소식')
  await becomesInView(page, '끝 소식')
  // A user who has scrolled up stays where they are.
  await page.locator('.log').hover()
  await page.mouse.wheel(0, -120)
  await page.locator('.jump').waitFor()
  await send(juno, '아래 소식')
  await page.locator('.jump', { hasText: /new message/ }).waitFor()
  await close()
}, 60_000)

it('a room whose reload after a gap in the stream fails says so and loads the missing messages by itself', async () => {
  await readAll(mina)
  let beginStream = () => {}
  const { page, context, close } = await openApp(browser, mina, {
    at: `/rooms/${room}`,
    prepare: async (context) => {
      beginStream = await holdStream(context)
    },
  })
  await page.locator('.log-row').first().waitFor()
  await send(juno, '놓친 소식')
  await context.route('**/api/messages/*?**', (route) => route.abort())
  beginStream()
  await page.getByText('New messages could not be loaded. Trying again…').waitFor()
  await context.unroute('**/api/messages/*?**')
  await becomesInView(page, '놓친 소식')
  await page.locator('.log-stale p').waitFor({ state: 'detached' })
  await close()
}, 60_000)

it('a message that arrives while the history is loading is shown below it', async () => {
  const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<void>()
  let pages = 0
  const { page, close } = await openApp(browser, mina, {
    at: `/rooms/${room}`,
    prepare: async (context) => {
      context.on('response', (response) => /messages\/\d+\?/.test(response.url()) && pages++)
      await context.route('**/api/rooms/*/read', async (route) => {
        if (route.request().method() !== 'GET') return route.continue()
        const response = await route.fetch()
        await mayAnswer
        await route.fulfill({ response })
      })
    },
  })
  // One for the opened room, and one for the stream's first frame.
  await waitFor(() => pages === 2, { what: 'both fetches of the history' })
  await send(juno, '늦지 않은 소식')
  await page.locator('.room-row', { hasText: '늦지 않은 소식' }).waitFor()
  answer()
  await bubble(page, '늦지 않은 소식').waitFor()
  await page.context().unrouteAll({ behavior: 'ignoreErrors' })
  await close()
}, 60_000)

it('search finds Korean text and jumps to its position in the history', async () => {
  const { page, close } = await openApp(browser, mina, { at: `/rooms/${room}/search` })
  await waitFor(
    async () => {
      await page.locator('.panel input[type=search]').fill('')
      await page.locator('.panel input[type=search]').fill('메시지 7')
      return page
        .locator('.found-message')
        .first()
        .waitFor({ timeout: 2_000 })
        .then(
          () => true,
          () => false,
        )
    },
    { what: 'a result', timeoutMs: 20_000 },
  )
  const found = page.locator('.found-message', { hasText: /메시지 7$/ })
  // Under the name by which the reader knows the author.
  await found.getByText('박준오', { exact: true }).waitFor()
  await found.click()
  await page.locator('.message[data-highlighted]', { hasText: '메시지 7' }).waitFor()
  await close()
}, 60_000)

it('Enter that ends a composition does not send, Shift+Enter inserts a line break, and the draft survives a reload', async () => {
  const { page, close } = await openApp(browser, mina, { at: `/rooms/${room}` })
  const session = await page.context().newCDPSession(page)
  await composer(page).click()
  await session.send('Input.imeSetComposition', { text: '안녕', selectionStart: 2, selectionEnd: 2 })
  await composer(page).dispatchEvent('keydown', { key: 'Enter', keyCode: 229, isComposing: true })
  expect(await composer(page).inputValue()).toBe('안녕')
  await session.send('Input.insertText', { text: '안녕' })
  await composer(page).press('Shift+Enter')
  await composer(page).pressSequentially('둘째 줄')
  expect(await composer(page).inputValue()).toBe('안녕\n둘째 줄')
  await page.reload()
  await composer(page).waitFor()
  expect(await composer(page).inputValue()).toBe('안녕\n둘째 줄')
  await composer(page).press('Enter')
  await bubble(page, '안녕 둘째 줄').waitFor()
  await page.reload()
  await composer(page).waitFor()
  expect(await composer(page).inputValue()).toBe('')
  await close()
}, 60_000)

it('a message can be edited, reacted to, replied to and deleted by keyboard', async () => {
  const { page, complaints, close } = await openApp(browser, mina, { at: `/rooms/${room}` })
  await composer(page).waitFor()
  await write(page, '첫 문장')
  await page.locator('.message.mine:not(.pending)', { hasText: '첫 문장' }).waitFor()
  await page.keyboard.press('ArrowUp')
  await page.locator('.focus-bar').waitFor()
  await composer(page).fill('고친 문장')
  await page.keyboard.press('Enter')
  await bubble(page, '고친 문장').waitFor()
  // The stream may announce the edit before its response ends it, which returns the focus to the composer.
  await page.locator('.composer:not(:has(.focus-bar)) textarea:focus').waitFor()
  const openMenu = async () => {
    await page.locator('.log').focus()
    await page.keyboard.press('ArrowUp')
    await page.locator('.message:focus .row-tools').waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('.menu').waitFor()
  }
  await openMenu()
  await page.getByRole('menuitem', { name: 'React with 👍' }).press('Enter')
  await page.locator('.reactions button[aria-pressed=true]').waitFor()
  await openMenu()
  await page.getByRole('menuitem', { name: 'Delete for everyone' }).press('Enter')
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).press('Enter')
  await page.locator('.bubble.deleted').waitFor()
  expect(complaints).toEqual([])
  await close()
}, 60_000)

it('six tabs of a browser share one stream, and a message reaches each of them', async () => {
  const { context, page, complaints, close } = await openApp(browser, mina, { at: `/rooms/${room}` })
  const open = new Set<Request>()
  const isStream = (request: Request) => new URL(request.url()).pathname === '/api/stream'
  context.on('request', (request) => isStream(request) && open.add(request))
  context.on('requestfailed', (request) => open.delete(request))
  context.on('requestfinished', (request) => open.delete(request))
  const tabs = [page]
  for (let count = 2; count <= 6; count++) tabs.push(await openTab(context, complaints, `/rooms/${room}`))
  for (const tab of tabs) await composer(tab).waitFor()
  await send(juno, '모든 탭에')
  for (const [index, tab] of tabs.entries()) {
    // A browser renders a tab in the background late or not at all.
    await tab.bringToFront()
    await bubble(tab, '모든 탭에')
      .waitFor()
      .catch(async (cause) => {
        throw new Error(`tab ${index} shows: ${await tab.locator('main').textContent()}`, { cause })
      })
  }
  // The first tab's stream may have been opened before the test listened.
  expect(open.size).toBeLessThanOrEqual(1)
  expect(complaints).toEqual([])
  await close()
}, 90_000)

it('signing out in one tab signs out the other with an explanation', async () => {
  const { context, page, complaints, close } = await openApp(browser, juno, { at: '/settings' })
  const other = await openTab(context, complaints, `/rooms/${room}`)
  await composer(other).waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await other.locator('input[name=password]').waitFor()
  await page.locator('input[name=password]').waitFor()
  await close()
}, 60_000)
