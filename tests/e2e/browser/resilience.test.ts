import { waitFor } from '@bigtech/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { control, processes } from '../control.ts'
import { befriend, expectStatus, http, newPerson, type Person, stack } from '../stack.ts'
import { bubble, composer, launchBrowser, openApp, write } from './app.ts'

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

it('with chat-service killed from the drawer nothing is lost: written messages arrive once after recovery', async () => {
  const left = await openApp(browser, mina, { at: `/rooms/${room}` })
  const right = await openApp(browser, juno, { at: `/rooms/${room}` })
  await composer(right.page).waitFor()
  await left.page.locator('.rail-lab').click()
  const row = left.page.locator('.lab-processes li', { hasText: 'chat-service' })
  try {
    await row.getByRole('button', { name: 'Kill' }).click()
    await row.getByRole('button', { name: 'Start' }).waitFor()
    await write(left.page, '서비스가 죽어도 남아요')
    await left.page.locator('.message.pending', { hasText: '남아요' }).waitFor()
    await left.page.locator('.connection p').waitFor()
    await row.getByRole('button', { name: 'Start' }).click()
    await bubble(right.page, '서비스가 죽어도 남아요').waitFor({ timeout: 45_000 })
    await left.page.locator('.message.mine:not(.pending)', { hasText: '남아요' }).waitFor({ timeout: 45_000 })
    expect(await bubble(right.page, '서비스가 죽어도 남아요').count()).toBe(1)
    await left.page.locator('.lab-trace', { hasText: /seq \d+/ }).waitFor()
  } finally {
    const chat = (await processes()).find(({ name }) => name === 'chat-service')
    if (chat?.state !== 'ready') await control('chat-service', 'start')
  }
  await Promise.all([left.close(), right.close()])
}, 120_000)

it('a session ended elsewhere is explained, and the draft is kept', async () => {
  const { page, close } = await openApp(browser, mina, { at: `/rooms/${room}` })
  await composer(page).fill('아직 쓰는 중')
  await expectStatus(
    204,
    http('DELETE', `${stack.user}/auth/sessions/${mina.sessionId}`, { token: mina.token }),
  )
  await page.getByText('Your session has ended.').waitFor({ timeout: 30_000 })
  await page.locator('input[name=email]').fill(mina.email)
  await page.locator('input[name=password]').fill(mina.password)
  await page.locator('button[type=submit]').click()
  await composer(page).waitFor()
  expect(page.url()).toContain(`/rooms/${room}`)
  expect(await composer(page).inputValue()).toBe('아직 쓰는 중')
  await close()
}, 90_000)

it('without a network the app opens from its cache', async () => {
  const context = await browser.newContext({ locale: 'en-US' })
  const page = await context.newPage()
  await page.goto(stack.gateway)
  await page.evaluate('navigator.serviceWorker.ready')
  // The worker installs during the first visit and serves the second one.
  await page.reload()
  await page.locator('input[name=email]').waitFor()
  await context.setOffline(true)
  await waitFor(
    async () => {
      await page.reload()
      return page
        .locator('input[name=email]')
        .waitFor({ timeout: 2_000 })
        .then(
          () => true,
          () => false,
        )
    },
    { what: 'the page without a network', timeoutMs: 20_000 },
  )
  await context.close()
}, 60_000)
