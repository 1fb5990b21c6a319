import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newPerson, stack } from '../stack.ts'
import { desktop, launchBrowser } from './app.ts'

let browser: Browser

beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())

it('the API page signs in with the OAuth2 password flow and calls an operation with the token', async () => {
  const person = await newPerson('김미나')
  const context = await browser.newContext({ viewport: desktop, serviceWorkers: 'block' })
  const page = await context.newPage()
  // The page resolves the whole document first, which takes seconds of a busy processor.
  page.setDefaultTimeout(60_000)
  const complaints: string[] = []
  page.on('console', (line) => {
    if (line.type() === 'error') complaints.push(line.text())
  })
  await page.goto(`${stack.gateway}/api/docs#/profile/getMyProfile`)
  await page.locator('.auth-wrapper .authorize').click()
  await page.locator('#oauth_username').fill(person.username)
  await page.locator('#oauth_password').fill(person.password)
  await page.getByRole('button', { name: 'Apply given OAuth2 credentials' }).first().click()
  await page.getByRole('button', { name: 'Remove authorization' }).waitFor()
  await page.locator('.close-modal').click()
  const operation = page.locator('#operations-profile-getMyProfile')
  await operation.getByRole('button', { name: 'Try it out' }).click()
  const answered = page.waitForResponse((response) => response.url().endsWith('/api/profile/me'))
  await operation.getByRole('button', { name: 'Execute' }).click()
  const answer = await answered
  expect(answer.status()).toBe(200)
  expect(await answer.json()).toMatchObject({ username: person.username, display_name: '김미나' })
  await operation.locator('.live-responses-table', { hasText: person.username }).waitFor()
  expect(complaints).toEqual([])
  await context.close()
}, 120_000)
