import { waitFor } from '@bigtech/testkit'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { befriend, newPerson, type Person, stack } from './stack.ts'

let browser: Browser
/** What the pages' consoles say, but for the network that is taken away. */
const complaints: string[] = []

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  })
})
afterAll(() => browser?.close())

async function signIn(person: Person): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ viewport: { width: 900, height: 620 } })
  const page = await context.newPage()
  page.on('pageerror', (err) => complaints.push(err.message))
  page.on('console', (line) => {
    if (line.type() === 'error' && !line.text().includes('net::')) complaints.push(line.text())
  })
  await page.goto(stack.gateway)
  await page.fill('input[name=email]', person.email)
  await page.fill('input[name=password]', person.password)
  await page.click('button[type=submit]')
  await page.waitForSelector('.rooms li')
  return { context, page }
}

it('two people write to each other in two browser windows, live, and see what was read', async () => {
  const [mina, juno] = await Promise.all([newPerson('김미나'), newPerson('박준오')])
  const room = await befriend(mina, juno)
  const left = await signIn(mina)
  const right = await signIn(juno)
  const open = (page: Page) => page.click(`.rooms li[data-room-id="${room}"]`)
  const write = async (page: Page, text: string) => {
    await page.fill('.composer input', text)
    await page.press('.composer input', 'Enter')
  }
  await open(left.page)
  await write(left.page, '오늘 점심 어때요? <b>not markup</b>')
  await left.page.waitForSelector('.message.mine:not(.pending) .unread')
  expect(await left.page.textContent('.message.mine .unread')).toBe('1')

  await open(right.page)
  await right.page.waitForSelector('.message:not(.mine) .bubble')
  expect(await right.page.textContent('.message:not(.mine) .bubble')).toBe(
    '오늘 점심 어때요? <b>not markup</b>',
  )
  // Reading it takes the 1 away in the other window.
  await left.page.waitForSelector('.message.mine .unread', { state: 'detached' })

  await right.page.type('.composer input', '좋아요')
  await waitFor(async () => (await left.page.textContent('.typing'))?.includes('typing'), { what: 'typing' })
  await right.page.press('.composer input', 'Enter')
  await left.page.waitForSelector('.message:not(.mine) .bubble')
  expect(await left.page.textContent('.message:not(.mine) .bubble')).toBe('좋아요')

  await right.context.setOffline(true)
  await write(left.page, '12시에 봐요')
  await left.page.waitForSelector('.message.mine:nth-of-type(3):not(.pending)')
  await right.context.setOffline(false)
  await waitFor(
    async () =>
      (await right.page.locator('.message:not(.mine) .bubble').allTextContents()).includes('12시에 봐요'),
    { what: 'the message sent while the other window was offline', timeoutMs: 30_000 },
  )
  expect(await right.page.locator('.message').count()).toBe(3)
  expect(complaints).toEqual([])
  if (process.env.SCREENSHOT_DIR) {
    await left.page.screenshot({ path: `${process.env.SCREENSHOT_DIR}/left.png` })
    await right.page.screenshot({ path: `${process.env.SCREENSHOT_DIR}/right.png` })
  }
  await Promise.all([left.context.close(), right.context.close()])
}, 90_000)
