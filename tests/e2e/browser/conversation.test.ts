import { waitFor } from '@bigtech/testkit'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { befriend, expectStatus, http, newPerson, type Person, stack } from '../stack.ts'
import { axeViolations, bubble, composer, launchBrowser, openApp, phone, write } from './app.ts'

let browser: Browser
let mina: Person
let juno: Person
let room: number

beforeAll(async () => {
  const people = Promise.all([newPerson('김미나'), newPerson('박준오')])
  browser = await launchBrowser()
  ;[mina, juno] = await people
  room = await befriend(mina, juno)
})
afterAll(() => browser?.close())

async function send(content: string): Promise<void> {
  const json = { content }
  await expectStatus(201, http('POST', `${stack.chat}/messages/${room}`, { token: juno.token, json }))
}

/** Opens the menu of a message and chooses from it. */
async function choose(page: Page, text: string, item: string): Promise<void> {
  await bubble(page, text).click({ button: 'right' })
  await page.getByRole('menuitem', { name: item }).click()
}

async function menuBox(page: Page): Promise<{ x: number; y: number }> {
  const menu = page.locator('.menu')
  await menu.waitFor()
  return (await menu.boundingBox()) ?? { x: 0, y: 0 }
}

it('a reply, an edit, a reaction, a pin and a deletion reach the other user immediately', async () => {
  const left = await openApp(browser, mina, { at: `/rooms/${room}` })
  const right = await openApp(browser, juno, { at: `/rooms/${room}` })
  await composer(left.page).waitFor()
  await write(right.page, '저녁 뭐 먹을까요?')
  await bubble(left.page, '저녁 뭐 먹을까요?').waitFor()
  await choose(left.page, '저녁 뭐 먹을까요?', 'Reply')
  await left.page.locator('.focus-bar', { hasText: 'Reply to 박준오' }).waitFor()
  await write(left.page, '김치찌게')
  await bubble(right.page, '김치찌게').getByText('저녁 뭐 먹을까요?').waitFor()
  await choose(left.page, '김치찌게', 'Edit')
  await write(left.page, '김치찌개')
  const edited = right.page.locator('.message', { has: bubble(right.page, '김치찌개') })
  await edited.getByText('edited').waitFor()
  await choose(right.page, '김치찌개', 'React with ❤️')
  await left.page.getByRole('button', { name: '❤️ 1' }).waitFor()
  await choose(right.page, '김치찌개', 'Pin')
  await left.page.locator('.pin-bar', { hasText: '김치찌개' }).waitFor()
  await choose(left.page, '김치찌개', 'Delete for everyone')
  await left.page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
  await right.page.locator('.bubble.deleted').waitFor()
  expect(await bubble(right.page, '김치찌개').count()).toBe(0)
  expect([...left.complaints, ...right.complaints]).toEqual([])
  await Promise.all([left.close(), right.close()])
}, 90_000)

it('the title and the icon show the unread count, and the list shows drafts and keeps pins, mutes and archives', async () => {
  const { page, complaints, close } = await openApp(browser, mina, {
    prepare: async (context) => {
      await context.addInitScript('navigator.setAppBadge = async (count) => { window.appBadge = count }')
    },
  })
  const row = page.locator(`[data-room-id="${room}"]`)
  await row.waitFor()
  await send('하나')
  await send('둘')
  await row.locator('.badge', { hasText: /\d/ }).waitFor()
  await waitFor(async () => /^\(\d+\) BigTech Chat$/.test(await page.title()), {
    what: 'the count in the title',
  })
  expect(await page.title()).toContain(`(${await page.evaluate('window.appBadge')})`)
  const act = async (item: string) => {
    await row.locator('> a').click({ button: 'right', position: { x: 60, y: 30 } })
    const [place, menu] = [await row.locator('> a').boundingBox(), await menuBox(page)]
    expect([menu.x - (place?.x ?? 0), menu.y - (place?.y ?? 0)].map(Math.round)).toEqual([60, 30])
    await page.getByRole('menuitem', { name: item }).click()
  }
  await act('Mark as read')
  await row.locator('.badge').waitFor({ state: 'detached' })
  await waitFor(async () => (await page.title()) === 'BigTech Chat', { what: 'a title without a count' })
  await act('Pin to the top')
  await row.getByRole('img', { name: 'Pinned' }).waitFor()
  await act('Mute')
  await row.getByRole('img', { name: 'Muted' }).waitFor()
  await row.locator('> a').click()
  await composer(page).fill('아직 쓰는 중')
  await row.getByText('Draft:').waitFor()
  await composer(page).fill('')
  await row.getByText('둘').waitFor()
  await act('Archive')
  await row.waitFor({ state: 'detached' })
  await page.getByRole('link', { name: 'Archive' }).click()
  await act('Unarchive')
  await page.getByRole('link', { name: 'Chats' }).click()
  await row.getByRole('img', { name: 'Pinned' }).waitFor()
  expect(complaints).toEqual([])
  await close()
}, 90_000)

it('a date jumps to the first message of that day, and a message is copied as text', async () => {
  await send('복사할 문장')
  const { context, page, close } = await openApp(browser, mina, { at: `/rooms/${room}/search` })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await choose(page, '복사할 문장', 'Copy')
  await page.getByText('Copied.').waitFor()
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe('복사할 문장')
  const date = page.getByLabel('Jump to a date')
  await date.fill('2100-01-01')
  await page.getByText('There is no message on or after that day.').waitFor()
  await date.fill('2020-01-01')
  await page.locator('.message[data-seq="1"][data-highlighted], .message.system[data-seq="1"]').waitFor()
  await close()
}, 60_000)

it('a room shows when the other user comes online', async () => {
  const seoyeon = await newPerson('이서연')
  const haneul = await newPerson('최하늘')
  const direct = await befriend(seoyeon, haneul)
  const left = await openApp(browser, seoyeon, { at: `/rooms/${direct}` })
  await left.page.locator('.room-header').waitFor()
  expect(await left.page.locator('.room-header .is-online').count()).toBe(0)
  const right = await openApp(browser, haneul)
  await left.page.locator('.room-header .is-online').waitFor()
  await Promise.all([left.close(), right.close()])
}, 90_000)

it('a request over the limit is explained in words, with the time to wait', async () => {
  const { page, close } = await openApp(browser, mina, { at: `/rooms/${room}` })
  await send('천천히 눌러 주세요')
  const problem = { title: 'Too many requests.', status: 429, code: 'RATE_LIMITED', request_id: 'r-1' }
  await page.route('**/reactions/*', (route) =>
    route.fulfill({ status: 429, headers: { 'retry-after': '7' }, json: problem }),
  )
  await choose(page, '천천히 눌러 주세요', 'React with ❤️')
  await page.getByText('Too many requests. Try again in 7 seconds.').waitFor()
  await close()
})

it('a room that does not exist is explained, and a phone offers the way back to the list', async () => {
  const { page, close } = await openApp(browser, mina, { at: '/rooms/999999999', size: phone })
  await page.getByText('This chat no longer exists.').waitFor()
  expect(await axeViolations(page)).toEqual([])
  await page.getByRole('link', { name: 'Back' }).click()
  await page.locator('.rooms li').first().waitFor()
  await close()
}, 60_000)

it('a page whose code cannot be loaded without a network is explained, and opens once the network is back', async () => {
  const { context, page, close } = await openApp(browser, mina, { at: '/rooms' })
  await page.locator('.rooms li').first().waitFor()
  let reloads = 0
  page.on('load', () => reloads++)
  await context.setOffline(true)
  await page.getByRole('link', { name: 'Settings' }).click()
  await page.getByText('The server cannot be reached.').first().waitFor()
  expect(reloads).toBe(0)
  await context.setOffline(false)
  await page.locator('.settings-sections li').first().waitFor()
  await close()
}, 60_000)
