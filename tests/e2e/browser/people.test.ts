import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { befriend, newPerson, stack } from '../stack.ts'
import { axeViolations, launchBrowser, openApp, phone } from './app.ts'

let browser: Browser

beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())

it('a friend request is cancelled, sent again, declined silently, and returned, and initial consonants find the friend', async () => {
  const mina = await newPerson('김미나')
  const haneul = await newPerson('최하늘')
  const left = await openApp(browser, mina, { at: '/friends/find' })
  const right = await openApp(browser, haneul, { at: '/friends', size: phone })
  const search = left.page.locator('.page input[type=search]')
  await search.fill(haneul.username)
  const ask = left.page.getByRole('button', { name: 'Send 최하늘 a friend request' })
  await ask.click()
  await right.page.getByText('Friend requests (1)').waitFor()
  await left.page.getByRole('button', { name: 'Cancel the request to 최하늘' }).click()
  await right.page.getByText('Friend requests (1)').waitFor({ state: 'detached' })
  await ask.click()
  await right.page.getByRole('button', { name: 'Decline 김미나' }).click()
  await right.page.getByText('Friend requests (1)').waitFor({ state: 'detached' })
  // The sender is not notified, so a request in the other direction makes both users friends.
  await left.page.getByText('Sent requests (1)').waitFor()
  await right.page.goto(`${stack.gateway}/friends/find`)
  await right.page.locator('.page input[type=search]').fill(mina.username)
  await right.page.getByRole('button', { name: 'Send 김미나 a friend request' }).click()
  await left.page.getByText('Friends (1)').waitFor()
  const filter = left.page.getByPlaceholder('Filter friends')
  await filter.fill('ㄱㅁㄴ')
  await left.page.locator('.list-column .person', { hasText: '최하늘' }).waitFor({ state: 'detached' })
  await filter.fill('ㅊㅎㄴ')
  await left.page.locator('.list-column .person', { hasText: '최하늘' }).waitFor()
  expect([...left.complaints, ...right.complaints]).toEqual([])
  await Promise.all([left.close(), right.close()])
}, 120_000)

it('a blocked user disappears from the list of friends, and can be found again once unblocked', async () => {
  const mina = await newPerson('김미나')
  const juno = await newPerson('박준오')
  const { page, complaints, close } = await openApp(browser, mina, { at: `/friends/${juno.id}` })
  await page.getByRole('button', { name: 'Block' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Block' }).click()
  await page.getByText('박준오 is blocked.').waitFor()
  await page.goto(`${stack.gateway}/settings/blocked`)
  await page.getByText('박준오').waitFor()
  await page.getByRole('button', { name: 'Unblock' }).click()
  await page.getByText('You have not blocked anyone.').waitFor()
  expect(complaints).toEqual([])
  await close()
}, 120_000)

it('a friend request carries a message, which both people see, and is accepted from the profile', async () => {
  const mina = await newPerson('김미나')
  const haneul = await newPerson('최하늘')
  const left = await openApp(browser, mina, { at: `/friends/${haneul.id}` })
  const right = await openApp(browser, haneul, { at: '/friends', size: phone })
  await left.page.getByRole('button', { name: 'Add friend' }).click()
  const dialog = left.page.getByRole('dialog')
  await dialog.getByLabel('Message (optional)').fill('등산 모임에서 만난 미나예요.')
  expect(await axeViolations(left.page)).toEqual([])
  await dialog.getByRole('button', { name: 'Send request' }).click()
  await dialog.waitFor({ state: 'detached' })
  await left.page.locator('.profile', { hasText: '등산 모임에서 만난 미나예요.' }).waitFor()
  await right.page.getByText('등산 모임에서 만난 미나예요.').click()
  await right.page.locator('.profile blockquote', { hasText: '등산 모임에서 만난 미나예요.' }).waitFor()
  await right.page.locator('.profile').getByRole('button', { name: 'Accept 김미나' }).click()
  await left.page.locator('.profile').getByRole('button', { name: 'Message' }).waitFor()
  expect([...left.complaints, ...right.complaints]).toEqual([])
  await Promise.all([left.close(), right.close()])
}, 120_000)

it('the list of friends has headings by index letter, which a search hides', async () => {
  const mina = await newPerson('김미나')
  const names = ['강하늘', '고은', 'amy']
  const { page, complaints, close } = await openApp(browser, mina, { at: '/friends' })
  await Promise.all(names.map(async (name) => befriend(mina, await newPerson(name))))
  await page.getByText('Friends (3)').waitFor()
  const letters = page.locator('.list-column h3')
  await expect.poll(() => letters.allTextContents()).toEqual(['ㄱ', 'A'])
  await page.getByPlaceholder('Filter friends').fill('하늘')
  await letters.first().waitFor({ state: 'detached' })
  expect(complaints).toEqual([])
  await close()
}, 120_000)
