import { waitFor } from '@bigtech/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { befriend, newPerson, type Person } from '../stack.ts'
import { bubble, composer, desktop, launchBrowser, openApp, openTab, phone, write } from './app.ts'

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

it('two users chat on a phone and a desktop in real time, with typing indicators and read receipts', async () => {
  const left = await openApp(browser, mina, { at: `/rooms/${room}`, size: desktop, locale: 'ko-KR' })
  const right = await openApp(browser, juno, { size: phone })
  await write(left.page, '오늘 점심 어때요? <b>not markup</b>')
  const sent = left.page.locator('.message.mine', { hasText: 'not markup' })
  await sent.locator('.unread').waitFor()
  expect(await sent.locator('.unread [aria-hidden]').textContent()).toBe('1')

  await right.page.locator('.badge', { hasText: '1' }).first().waitFor()
  await right.page.locator(`[data-room-id="${room}"] > a`).click()
  await bubble(right.page, '오늘 점심 어때요? <b>not markup</b>').waitFor()
  // Reading it removes the 1 in the other window.
  await sent.locator('.unread').waitFor({ state: 'detached' })

  await composer(right.page).pressSequentially('좋아요')
  await left.page.locator('.typing', { hasText: '박준오 님이 입력하고 있어요' }).waitFor()
  await right.page.locator('.send').click()
  await bubble(left.page, '좋아요').waitFor()
  await right.page.locator('.room-header .back').click()
  await right.page.waitForURL('**/rooms')
  await right.page.goBack()
  await bubble(right.page, '좋아요').waitFor()
  expect([...left.complaints, ...right.complaints]).toEqual([])
  await Promise.all([left.close(), right.close()])
}, 60_000)

it('a message written without a network survives a reload and is sent once the network is back', async () => {
  const left = await openApp(browser, mina, { at: `/rooms/${room}` })
  const right = await openApp(browser, juno, { at: `/rooms/${room}` })
  await composer(left.page).waitFor()
  await composer(right.page).waitFor()
  await left.page.route('**/api/messages/**', (route) =>
    route.request().method() === 'POST' ? route.abort() : route.fallback(),
  )
  await write(left.page, '12시에 봐요')
  await left.page.locator('.message.pending', { hasText: '12시에 봐요' }).waitFor()
  await left.page.reload()
  await left.page.locator('.message.pending', { hasText: '12시에 봐요' }).waitFor()
  await left.page.unroute('**/api/messages/**')
  // A second tab shares the outbox and the stream.
  const second = await openTab(left.context, left.complaints, `/rooms/${room}`)
  await bubble(right.page, '12시에 봐요').waitFor({ timeout: 40_000 })
  await second.locator('.message.mine:not(.pending)', { hasText: '12시에 봐요' }).waitFor()
  await left.page.locator('.message.mine:not(.pending)', { hasText: '12시에 봐요' }).waitFor()
  expect(await bubble(right.page, '12시에 봐요').count()).toBe(1)
  expect(await second.locator('.message', { hasText: '12시에 봐요' }).count()).toBe(1)
  expect(left.complaints).toEqual([])
  await Promise.all([left.close(), right.close()])
}, 90_000)

it('a message whose response is lost is sent again and stored once', async () => {
  const left = await openApp(browser, mina, { at: `/rooms/${room}` })
  const right = await openApp(browser, juno, { at: `/rooms/${room}` })
  await composer(right.page).waitFor()
  let attempts = 0
  await left.page.route('**/api/messages/**', async (route) => {
    if (route.request().method() !== 'POST') return route.fallback()
    attempts++
    // The request arrives, its response does not.
    if (attempts === 1) await route.fetch()
    return attempts === 1 ? route.abort() : route.fallback()
  })
  await write(left.page, '답이 사라져도 한 번만')
  await bubble(right.page, '답이 사라져도 한 번만').waitFor()
  await waitFor(() => attempts >= 2, { what: 'the second attempt', timeoutMs: 20_000 })
  await left.page.locator('.message.mine:not(.pending)', { hasText: '한 번만' }).waitFor()
  await write(left.page, '다음 메시지')
  await bubble(right.page, '다음 메시지').waitFor()
  expect(await bubble(right.page, '답이 사라져도 한 번만').count()).toBe(1)
  expect(await bubble(left.page, '답이 사라져도 한 번만').count()).toBe(1)
  await Promise.all([left.close(), right.close()])
}, 60_000)
