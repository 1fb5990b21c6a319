import { readFile } from 'node:fs/promises'
import { uniqueName, waitFor } from '@bigtech/testkit'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { befriend, http, newPerson, stack } from '../stack.ts'
import { axeViolations, composer, launchBrowser, openApp, phone, write } from './app.ts'

let browser: Browser

beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())

const freshPage = async () =>
  (await browser.newContext({ viewport: phone, locale: 'en-US', serviceWorkers: 'block' })).newPage()

it('a user signs up, is shown the invalid field, and finds a friend to write to', async () => {
  const juno = await newPerson('박준오')
  const page = await freshPage()
  await page.goto(stack.gateway)
  await page.getByRole('button', { name: 'Sign up' }).click()
  const username = uniqueName('u')
  await page.locator('input[name=email]').fill(`${username}@example.com`)
  await page.locator('input[name=username]').fill(juno.username)
  await page.locator('input[name=display_name]').fill('최하늘')
  await page.locator('input[name=password]').fill('Test1234!@')
  await page.locator('button[type=submit]').click()
  await page.getByText('This username is taken.').waitFor()
  await page.locator('input[name=username]').fill(username)
  await page.locator('button[type=submit]').click()
  await page.getByRole('link', { name: 'Add friends' }).last().click()
  await page.locator('.page input[type=search]').fill(juno.username)
  await page.getByRole('button', { name: /Send 박준오 a friend request/ }).click()
  await page.getByText('Requested').waitFor()
  const app = await openApp(browser, juno, { at: '/friends' })
  await app.page.getByRole('button', { name: 'Accept 최하늘' }).click()
  await app.page.getByRole('link', { name: /최하늘/ }).click()
  await app.page.getByRole('button', { name: 'Message' }).click()
  await composer(app.page).waitFor()
  await write(app.page, '반가워요!')
  await page.goto(`${stack.gateway}/rooms`)
  await page.locator('.rooms li', { hasText: '반가워요!' }).waitFor()
  expect(app.complaints).toEqual([])
  await page.context().close()
  await app.close()
}, 90_000)

it('a forgotten password is replaced with the mailed link, which works once', async () => {
  const mina = await newPerson('김미나')
  const page = await freshPage()
  await page.goto(stack.gateway)
  await page.getByRole('button', { name: 'Forgotten your password?' }).click()
  await page.locator('input[name=email]').fill(mina.email)
  await page.getByRole('button', { name: 'Send the link' }).click()
  await page.getByText('a link is on its way').waitFor()
  const link = await waitFor(() => linkIn(mina.email, '/account/password/reset'), {
    what: 'the mail',
    timeoutMs: 30_000,
  })
  await page.goto(stack.gateway + link)
  await page.locator('input[name=password]').fill('Better5678#$')
  expect(await axeViolations(page)).toEqual([])
  await page.getByRole('button', { name: 'Set password' }).click()
  await page.getByText('Your new password works now.').waitFor()
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.locator('input[name=email]').fill(mina.email)
  await page.locator('input[name=password]').fill('Better5678#$')
  await page.locator('button[type=submit]').click()
  await page.locator('.rail').waitFor()
  await page.goto('about:blank')
  await page.goto(stack.gateway + link)
  await page.locator('input[name=password]').fill('Another1234!')
  await page.getByRole('button', { name: 'Set password' }).click()
  await page.getByText('This link was used').waitFor()
  await page.context().close()
}, 90_000)

it('the data of an account is requested in the settings and downloaded once with the link in the mail', async () => {
  const mina = await newPerson('김미나')
  const { page, complaints, close } = await openApp(browser, mina, { at: '/settings/data', size: phone })
  await page.getByRole('button', { name: 'Request my data' }).click()
  await page.getByText('Your data is ready').waitFor({ timeout: 60_000 })
  expect(await axeViolations(page)).toEqual([])
  const link = await waitFor(() => linkIn(mina.email, '/account/export'), {
    what: 'the mail',
    timeoutMs: 60_000,
  })
  await page.goto(stack.gateway + link)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download' }).click(),
  ])
  await page.getByText('The file is in your downloads.').waitFor()
  const archive = JSON.parse(await readFile(await download.path(), 'utf8'))
  expect(archive).toMatchObject({
    profile: { email: mina.email },
    friends: { user_id: mina.id },
    rooms: { user_id: mina.id },
    notifications: { email: mina.email },
  })
  expect(archive.files).toBeTruthy()
  await page.reload()
  await page.getByRole('button', { name: 'Download' }).click()
  await page.getByText('This link was used').waitFor()
  expect(complaints).toEqual([])
  await close()
}, 150_000)

/** Returns path and fragment of the newest mail's link of that kind. */
async function linkIn(email: string, path: string): Promise<string | undefined> {
  const { body } = await http('GET', `${stack.mailbox}/api/mails?to=${encodeURIComponent(email)}`)
  const mails: { text: string }[] = body.items ?? body
  return mails.map(({ text }) => new RegExp(`${path}#\\S+`).exec(text)?.[0]).find(Boolean)
}

it('a user signs up and in with a Google account, at the URL that they opened', async () => {
  const page = await freshPage()
  await page.goto(`${stack.gateway}/friends`)
  await page.getByRole('button', { name: 'Continue with Google' }).click()
  await page.locator('input[name=login]').fill(`${uniqueName('g')}@example.com`)
  await page.locator('input[name=password]').fill('any')
  await page.locator('button[type=submit]').click()
  // The stand-in asks whether the app may know the address.
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByText('No friends yet.').waitFor()
  expect(new URL(page.url()).pathname).toBe('/friends')
  await page.context().close()
}, 60_000)

it('an outage of a service is explained and ends without a reload', async () => {
  const mina = await newPerson('김미나')
  const juno = await newPerson('박준오')
  const room = await befriend(mina, juno)
  const { page, close } = await openApp(browser, mina, { at: `/rooms/${room}` })
  await composer(page).waitFor()
  const unavailable = {
    status: 503,
    headers: { 'content-type': 'application/problem+json', 'retry-after': '1' },
    json: {
      type: 'about:blank',
      title: 'Temporarily unavailable.',
      status: 503,
      code: 'UNAVAILABLE',
      request_id: 'r-1',
    },
  }
  await page.route('**/api/**', (route) => route.fulfill(unavailable))
  await write(page, '곧 갈게요')
  await page.locator('.message.pending', { hasText: '곧 갈게요' }).waitFor()
  await page.evaluate("history.pushState({}, '', '/settings/sessions')")
  await page.getByText('This part of the service is temporarily unavailable.').waitFor()
  expect(await page.locator('.main').textContent()).not.toContain('request_id')
  await page.unroute('**/api/**')
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.locator('.sessions li').first().waitFor()
  await page.evaluate(`history.pushState({}, '', '/rooms/${room}')`)
  await page.locator('.message.mine:not(.pending)', { hasText: '곧 갈게요' }).waitFor({ timeout: 40_000 })
  await close()
}, 90_000)
