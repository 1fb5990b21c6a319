import { readFile } from 'node:fs/promises'
import { waitFor } from '@bigtech/testkit'
import type { Browser, Page, Request } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { befriend, newPerson, type Person } from '../stack.ts'
import { type App, axeViolations, bubble, composer, launchBrowser, openApp, phone, write } from './app.ts'

let browser: Browser
let mina: Person
let juno: Person
let room: number
let left: App
let right: App
let picture: Buffer

/** Size of an upload part in bytes. */
const PART = 8 * 2 ** 20

beforeAll(async () => {
  const people = Promise.all([newPerson('김미나'), newPerson('박준오')])
  browser = await launchBrowser()
  ;[mina, juno] = await people
  room = await befriend(mina, juno)
  left = await openApp(browser, mina, { at: `/rooms/${room}` })
  right = await openApp(browser, juno, { at: `/rooms/${room}`, size: phone })
  await composer(right.page).waitFor()
  picture = await right.page.screenshot()
})
afterAll(() => browser?.close())

const choose = (page: Page, ...files: { name: string; mimeType: string; buffer: Buffer }[]) =>
  page.locator('.composer input[type=file]').setInputFiles(files)
const send = (page: Page) => page.locator('.modal button[type=submit]').click()
const isPart = (request: Request) => request.method() === 'PUT' && request.url().includes('partNumber=')

it('several pictures are sent with a caption, and the other user sees them and enlarges one', async () => {
  const [one, two] = ['산.png', '바다.png'].map((name) => ({ name, mimeType: 'image/png', buffer: picture }))
  await choose(left.page, one!, two!)
  await left.page.getByText('Send 2 files').waitFor()
  expect(await axeViolations(left.page)).toEqual([])
  await left.page.getByLabel('Add a caption').fill('여행 사진이에요')
  await send(left.page)
  await right.page.locator('.message:not(.mine) .picture img[data-loaded=true]').nth(1).waitFor()
  await bubble(right.page, '여행 사진이에요').locator('.picture').click()
  await right.page.locator('.picture-viewer img[data-loaded=true]').waitFor()
  expect(await axeViolations(right.page)).toEqual([])
  await right.page.keyboard.press('Escape')
  await left.page.locator('.message.mine:not(.pending) .picture').nth(1).waitFor()
  expect(await left.page.locator('.message.pending').count()).toBe(0)
}, 90_000)

it('the upload of a large file shows its percentage, and after an interruption and a reload sends only the missing part', async () => {
  const text = Buffer.alloc(PART + 500_000, '가나다라마바사 ')
  const parts: string[] = []
  left.page.on('request', (request) => {
    if (isPart(request)) parts.push(new URL(request.url()).searchParams.get('partNumber') ?? '')
  })
  await left.page.route(/partNumber=2/, (route) => route.abort())
  await choose(left.page, { name: '큰 파일.txt', mimeType: 'text/plain', buffer: text })
  await send(left.page)
  // The first of two parts has arrived.
  await left.page.locator('.message.pending', { hasText: '큰 파일.txt' }).getByText('94%').waitFor()
  await waitFor(() => parts.includes('2'), { what: 'the second part', timeoutMs: 40_000 })
  await left.page.reload()
  await left.page.locator('.message.pending', { hasText: '큰 파일.txt' }).waitFor()
  // Text messages do not wait for the file.
  await write(left.page, '파일은 곧 가요')
  await bubble(right.page, '파일은 곧 가요').waitFor()
  await left.page.unroute(/partNumber=2/)
  const card = right.page.locator('.message', { hasText: '큰 파일.txt' })
  await card.waitFor({ timeout: 60_000 })
  expect(parts.filter((number) => number === '1')).toHaveLength(1)
  const download = right.page.waitForEvent('download')
  await card.getByRole('button', { name: 'Save 큰 파일.txt' }).click()
  expect(text.equals(await readFile(await (await download).path()))).toBe(true)
}, 120_000)

it('an upload can be cancelled, and a file with mismatching content is refused with an explanation', async () => {
  await left.page.route(/partNumber=1/, () => undefined)
  await choose(left.page, { name: '실수.png', mimeType: 'image/png', buffer: picture })
  await send(left.page)
  await left.page.getByRole('progressbar', { name: 'Uploading 실수.png' }).waitFor()
  await left.page.getByRole('button', { name: 'Cancel sending 실수.png' }).click()
  await left.page.locator('.message.pending').waitFor({ state: 'detached' })
  await left.page.unroute(/partNumber=1/)
  await choose(left.page, {
    name: '가짜.png',
    mimeType: 'image/png',
    buffer: Buffer.from('<script>alert(1)</script>'),
  })
  await send(left.page)
  await left.page.getByText('The content of the file does not match its name.').waitFor()
  expect(await axeViolations(left.page)).toEqual([])
  await left.page.getByRole('button', { name: 'Discard' }).click()
  await write(left.page, '아무것도 안 보냈어요')
  await bubble(right.page, '아무것도 안 보냈어요').waitFor()
  expect(await right.page.getByText('실수.png').count()).toBe(0)
}, 90_000)

/** Makes the browser take a second to remove something from IndexedDB, as a busy disk does. */
const slowRemoval = `(() => {
  const remove = IDBObjectStore.prototype.delete
  IDBObjectStore.prototype.delete = function (key) {
    const request = remove.call(this, key)
    const until = performance.now() + 1_000
    const wait = () => {
      if (performance.now() < until) this.get(key).onsuccess = wait
      else IDBObjectStore.prototype.delete = remove
    }
    wait()
    return request
  }
})()`

it('a file that is cancelled while its upload begins stays cancelled', async () => {
  const begun = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  await left.page.route(/files\/uploads$/, async (route) => {
    begun.resolve()
    await released.promise
    await route.continue()
  })
  await left.page.evaluate(slowRemoval)
  await choose(left.page, { name: '취소.png', mimeType: 'image/png', buffer: picture })
  await send(left.page)
  await begun.promise
  await left.page.getByRole('button', { name: 'Cancel sending 취소.png' }).click()
  released.resolve()
  await left.page.locator('.message.pending').waitFor({ state: 'detached' })
  await left.page.unroute(/files\/uploads$/)
  await choose(left.page, { name: '다음.png', mimeType: 'image/png', buffer: picture })
  await send(left.page)
  // Files are uploaded in the order of sending.
  await right.page.getByRole('button', { name: 'Open 다음.png' }).waitFor()
  await left.page.locator('.message.pending').waitFor({ state: 'detached' })
  expect(await right.page.getByRole('button', { name: 'Open 취소.png' }).count()).toBe(0)
}, 60_000)

/** Delivers a file to the page by clipboard or drag and drop. */
async function bring(page: Page, kind: 'paste' | 'drop', name: string): Promise<void> {
  const target = kind === 'paste' ? '.composer textarea' : '.room-main'
  const event =
    kind === 'paste' ? "ClipboardEvent('paste', { clipboardData" : "DragEvent('drop', { dataTransfer"
  await page.evaluate(`(() => {
    const bytes = Uint8Array.from(atob('${picture.toString('base64')}'), (sign) => sign.charCodeAt(0))
    const data = new DataTransfer()
    data.items.add(new File([bytes], '${name}', { type: 'image/png' }))
    const event = new ${event}: data, bubbles: true, cancelable: true })
    document.querySelector('${target}').dispatchEvent(event)
  })()`)
}

it.each(['paste', 'drop'] as const)(
  'a picture can be added by %s',
  async (kind) => {
    await bring(left.page, kind, `${kind}.png`)
    await left.page.locator('.modal', { hasText: `${kind}.png` }).waitFor()
    await send(left.page)
    await right.page.getByRole('button', { name: `Open ${kind}.png` }).waitFor()
  },
  60_000,
)

it('a voice message is recorded and plays for the other user', async () => {
  await left.page.getByRole('button', { name: 'Record a voice message' }).click()
  await left.page.getByRole('timer').getByText('0:02').waitFor()
  expect(await axeViolations(left.page)).toEqual([])
  await left.page.getByRole('button', { name: 'Send the voice message' }).click()
  const player = right.page.locator('.audio').last()
  await player.getByRole('button', { name: 'Play Voice message' }).click()
  await player.getByRole('button', { name: 'Pause' }).waitFor()
  await waitFor(async () => Number(await player.getByRole('slider').inputValue()) > 0, {
    what: 'the position',
  })
  expect(await axeViolations(right.page)).toEqual([])
  expect([...left.complaints, ...right.complaints]).toEqual([])
}, 60_000)

/** Returns a video of one second, recorded by the browser. */
async function recordVideo(page: Page): Promise<Buffer> {
  const base64 = await page.evaluate(`(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 })
    const context = canvas.getContext('2d')
    const recorder = new MediaRecorder(canvas.captureStream(10), { mimeType: 'video/webm' })
    const chunks = []
    recorder.ondataavailable = ({ data }) => chunks.push(data)
    const stopped = new Promise((resolve) => { recorder.onstop = resolve })
    recorder.start()
    for (let frame = 0; frame < 10; frame++) {
      context.fillStyle = frame % 2 ? 'navy' : 'gold'
      context.fillRect(0, 0, canvas.width, canvas.height)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    recorder.stop()
    await stopped
    return new Uint8Array(await new Blob(chunks).arrayBuffer()).toBase64()
  })()`)
  return Buffer.from(String(base64), 'base64')
}

it('a video is sent and plays for the other user', async () => {
  const buffer = await recordVideo(left.page)
  await choose(left.page, { name: '파도.webm', mimeType: 'video/webm', buffer })
  await send(left.page)
  const message = right.page.locator('.message:not(.mine)', { hasText: '파도.webm' })
  const play = message.getByRole('button', { name: 'Play 파도.webm' })
  await play.waitFor()
  expect(await axeViolations(right.page)).toEqual([])
  await play.click()
  const video = message.locator('video')
  const playedSeconds = () =>
    video.evaluate((element) => Number('currentTime' in element && element.currentTime))
  await waitFor(async () => (await playedSeconds()) > 0, { what: 'the video to play' })
  await left.page.locator('.message.mine:not(.pending)', { hasText: '파도.webm' }).waitFor()
}, 90_000)

/** Returns a PDF printed by the browser. */
async function pdfOf(html: string): Promise<Buffer> {
  const page = await browser.newPage()
  await page.setContent(html)
  const pdf = await page.pdf()
  await page.close()
  return pdf
}

it('a document is analyzed from its menu, and both users receive the report as a message', async () => {
  const buffer = await pdfOf('<p>Delivery is due on 2026-04-30, write to sales@hanbit.co.kr.</p>')
  await choose(left.page, { name: '계약서.pdf', mimeType: 'application/pdf', buffer })
  await send(left.page)
  const sent = right.page.locator('.message:not(.mine)', { hasText: '계약서.pdf' })
  await sent.getByText('1 page').waitFor()
  await sent.getByRole('button', { name: 'Message actions' }).click()
  await right.page.getByRole('menuitem', { name: 'Analyze document' }).click()
  await right.page.getByText('The report will appear in this chat.').waitFor()
  for (const { page } of [left, right]) {
    const report = page.locator('.message', { hasText: 'sales@hanbit.co.kr' })
    await report.waitFor({ timeout: 60_000 })
    await report.getByRole('button', { name: /^Save .+pdf$/ }).waitFor()
  }
}, 120_000)
