import { waitFor } from '@bigtech/testkit'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { befriend, http, newPerson, type Person, stack } from '../stack.ts'
import { axeViolations, launchBrowser, openApp, phone } from './app.ts'

let browser: Browser
let mina: Person

beforeAll(async () => {
  const person = newPerson('김미나')
  browser = await launchBrowser()
  mina = await person
})
afterAll(() => browser?.close())

async function stored(address: string, { token }: Person): Promise<unknown> {
  return (await http('GET', address, { token })).body
}

/** Waits until the server returns these settings. */
async function untilStored(address: string, wanted: Record<string, unknown>): Promise<void> {
  const isStored = async () => {
    const body = (await stored(address, mina)) as Record<string, unknown>
    return Object.entries(wanted).every(([key, value]) => body[key] === value)
  }
  await waitFor(isStored, { what: JSON.stringify(wanted) })
}

const themeOf = (page: Page) => page.locator('html').getAttribute('data-theme')
const isOn = (page: Page, name: string) => page.getByRole('switch', { name }).getAttribute('aria-checked')

it('language and theme change immediately and stay after a reload, and mails follow the language', async () => {
  const { page, complaints, close } = await openApp(browser, mina, { at: '/settings/appearance' })
  await page.getByLabel('Theme').selectOption('dark')
  expect(await themeOf(page)).toBe('dark')
  await page.getByLabel('Language').selectOption('ko')
  await page.getByRole('heading', { name: '언어' }).waitFor()
  await untilStored(`${stack.user}/profile/me/settings`, { locale: 'ko' })
  await page.reload()
  await page.getByRole('heading', { name: '언어' }).waitFor()
  expect(await page.locator('html').getAttribute('lang')).toBe('ko')
  expect(await themeOf(page)).toBe('dark')
  await page.locator('.language-and-theme select').last().selectOption('system')
  expect(await themeOf(page)).toBe('light')
  await page.emulateMedia({ colorScheme: 'dark' })
  await waitFor(async () => (await themeOf(page)) === 'dark', { what: 'the theme of the system' })
  expect(complaints).toEqual([])
  await close()
}, 90_000)

it('privacy and notification settings are stored, also two changes at once, and shown again after a reload', async () => {
  const { page, complaints, close } = await openApp(browser, mina, { at: '/settings/privacy', size: phone })
  await page.getByLabel('Who sees when I am online').selectOption('friends')
  await page.getByLabel('Who may send me friend requests').selectOption('nobody')
  await page.getByRole('switch', { name: 'by my exact email address' }).click()
  await page.getByRole('switch', { name: 'may add me to groups' }).click()
  await untilStored(`${stack.user}/profile/me/settings`, {
    presence_visibility: 'friends',
    findable_by_email: true,
  })
  await untilStored(`${stack.friend}/friends/settings`, { requests_from: 'nobody' })
  await page.reload()
  await page.getByLabel('Who sees when I am online').waitFor()
  expect(await page.getByLabel('Who sees when I am online').inputValue()).toBe('friends')
  expect(await isOn(page, 'by my exact email address')).toBe('true')

  await page.goto(`${stack.gateway}/settings/notifications`)
  const until = page.locator('input[type=time]').last()
  const bothChanged = Promise.withResolvers<void>()
  await page.route('**/api/notifications/preferences', async (route) => {
    if (route.request().method() === 'PUT') await bothChanged.promise
    await route.continue()
  })
  await page.getByRole('switch', { name: 'Show who wrote what' }).click()
  await page.getByRole('switch', { name: 'Quiet hours' }).click()
  bothChanged.resolve()
  await until.fill('08:30')
  await waitFor(
    async () => {
      const preferences = await stored(`${stack.notification}/notifications/preferences`, mina)
      const { show_preview, quiet_hours } = preferences as {
        show_preview: boolean
        quiet_hours: { start: string; end: string } | null
      }
      return !show_preview && quiet_hours?.start === '22:00' && quiet_hours.end === '08:30'
    },
    { what: 'the notification settings' },
  )
  await page.reload()
  await until.waitFor()
  expect(await until.inputValue()).toBe('08:30')
  expect(await isOn(page, 'Show who wrote what')).toBe('false')
  expect(complaints).toEqual([])
  await close()
}, 90_000)

it('an account is deleted with its password only, and is hidden from friends', async () => {
  const [leaver, juno] = await Promise.all([newPerson('나라'), newPerson('박준오')])
  await befriend(leaver, juno)
  const { page, complaints, close } = await openApp(browser, leaver, { at: '/settings/profile' })
  await page.getByRole('button', { name: 'Delete account' }).click()
  const dialog = page.getByRole('dialog', { name: 'Delete account' })
  await dialog.getByLabel('Current password').fill('Wrong1234!@')
  await dialog.getByRole('button', { name: 'Delete account' }).click()
  await dialog.getByRole('alert').filter({ hasText: /\S/ }).waitFor()
  expect(await axeViolations(page)).toEqual([])
  await dialog.getByLabel('Current password').fill(leaver.password)
  await dialog.getByRole('button', { name: 'Delete account' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.locator('input[name=email]').waitFor()
  const profile = () => http('GET', `${stack.user}/users/${leaver.id}`, { token: juno.token })
  await waitFor(async () => (await profile()).status === 404, { what: 'the hidden profile' })
  expect(complaints).toEqual([])
  await close()
}, 90_000)
