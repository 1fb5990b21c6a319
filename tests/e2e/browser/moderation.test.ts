import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { befriend, expectStatus, http, newModerator, newPerson, type Person, stack } from '../stack.ts'
import { axeViolations, composer, desktop, launchBrowser, openApp, phone } from './app.ts'

let browser: Browser
let mina: Person
let juno: Person
let moderator: Person
let group: number

beforeAll(async () => {
  browser = await launchBrowser()
  ;[mina, juno, moderator] = await Promise.all([newPerson('김미나'), newPerson('박준오'), newModerator()])
  await befriend(mina, juno)
  const { body } = await expectStatus(
    201,
    http('POST', `${stack.chat}/rooms`, { token: mina.token, json: { name: '등산', member_ids: [juno.id] } }),
  )
  group = body.room_id
  await expectStatus(
    201,
    http('POST', `${stack.chat}/messages/${group}`, { token: juno.token, json: { content: '나쁜 말' } }),
  )
}, 120_000)
afterAll(() => browser?.close())

const problems: string[] = []
async function check(page: Page, name: string): Promise<void> {
  problems.push(...(await axeViolations(page)).map((line) => `${name}: ${line}`))
}

it('a message is reported, a moderator warns its author, and the author acknowledges the warning', async () => {
  const reporter = await openApp(browser, mina, { at: `/rooms/${group}` })
  const bad = reporter.page.locator('.message', { hasText: '나쁜 말' }).first()
  await bad.click({ button: 'right' })
  await reporter.page.getByRole('menuitem', { name: 'Report' }).click()
  await reporter.page.getByLabel('Reason').selectOption('harassment')
  await check(reporter.page, 'report')
  await reporter.page.getByRole('button', { name: 'Send report' }).click()
  await reporter.page.getByText('A moderator will look at it').waitFor()

  const desk = await openApp(browser, moderator, { at: '/settings/moderation', size: desktop })
  const entry = desk.page.locator('.reports button', { hasText: '박준오' })
  await entry.waitFor()
  await check(desk.page, 'queue')
  await entry.click()
  await desk.page.locator('.report-context li[data-reported]', { hasText: '나쁜 말' }).waitFor()
  await desk.page.getByLabel('Decision').selectOption('warn')
  await desk.page.getByLabel('Explanation for the user').fill('Please be kind.')
  await check(desk.page, 'decision')
  await desk.page.getByRole('button', { name: 'Decide' }).click()
  await entry.waitFor({ state: 'detached' })

  const author = await openApp(browser, juno, { size: phone, scheme: 'dark' })
  await author.page.getByText('Please be kind.').waitFor()
  await check(author.page, 'notice')
  await author.page.getByRole('button', { name: 'I have read this' }).click()
  await author.page.locator('.modal').waitFor({ state: 'detached' })
  await author.page.reload()
  await author.page.locator('.rooms li').first().waitFor()
  expect(await author.page.locator('.modal').count()).toBe(0)
  const complaints = [reporter, desk, author].flatMap((app) => app.complaints)
  expect([...problems, ...complaints]).toEqual([])
  await Promise.all([reporter.close(), desk.close(), author.close()])
}, 120_000)

it('an owner mutes a member and restricts posting, and the member sees both immediately', async () => {
  const owner = await openApp(browser, mina, { at: `/rooms/${group}/info` })
  const member = await openApp(browser, juno, { at: `/rooms/${group}` })
  await composer(member.page).waitFor()
  await owner.page.locator('.panel').getByRole('button', { name: 'Actions for 박준오' }).click()
  await owner.page.getByRole('menuitem', { name: 'Mute for an hour' }).click()
  await member.page.getByText('You have been muted in this group.').waitFor()
  await member.page
    .locator('.message', { hasText: '김미나 muted 박준오' })
    .or(member.page.getByText('김미나 muted 박준오 in this group'))
    .first()
    .waitFor()
  await owner.page.locator('.panel').getByRole('button', { name: 'Actions for 박준오' }).click()
  await owner.page.getByRole('menuitem', { name: 'Unmute' }).click()
  await composer(member.page).waitFor()
  await owner.page.getByLabel('Who may write').selectOption('admins')
  await member.page.getByText('Only the owner and admins can write here.').waitFor()
  await owner.page.getByRole('button', { name: 'Audit log' }).click()
  await owner.page.locator('.audit li', { hasText: 'changed who may write' }).waitFor()
  expect([...(await axeViolations(owner.page)), ...owner.complaints, ...member.complaints]).toEqual([])
  await Promise.all([owner.close(), member.close()])
}, 90_000)

it('a friend gets a nickname, becomes a favorite, and can be hidden', async () => {
  const { page, complaints, close } = await openApp(browser, mina, { at: `/friends/${juno.id}` })
  await page.getByLabel('Nickname').fill('등산 친구')
  await page.locator('.friend-notes').getByRole('button', { name: 'Save' }).click()
  await page.locator('.list-column .person', { hasText: '등산 친구' }).waitFor()
  await page.getByLabel('Favourite').click()
  await page.locator('.list-section', { hasText: 'Favourites' }).waitFor()
  expect(await axeViolations(page)).toEqual([])
  await page.getByLabel('Hide from my list').click()
  await page.locator('.list-column .person', { hasText: '등산 친구' }).waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Show hidden friends' }).click()
  await page.locator('.list-column .person', { hasText: '등산 친구' }).waitFor()
  expect(complaints).toEqual([])
  await close()
}, 60_000)

it('an invite link is shown as a QR code, and opening it sends its owner a friend request', async () => {
  const owner = await openApp(browser, mina, { at: '/friends/find' })
  await owner.page.getByRole('button', { name: 'My invite link and QR code' }).click()
  await owner.page.getByRole('img', { name: 'QR code of your invite link' }).waitFor()
  const address = await owner.page.getByRole('textbox', { name: 'Your invite link' }).inputValue()
  expect(await axeViolations(owner.page)).toEqual([])
  const guest = await openApp(browser, moderator, { at: new URL(address).pathname + new URL(address).hash })
  await guest.page.getByText('김미나').first().waitFor()
  await guest.page.getByRole('button', { name: 'Add friend' }).click()
  await guest.page.getByText('Request sent.').waitFor()
  expect([...owner.complaints, ...guest.complaints]).toEqual([])
  await Promise.all([owner.close(), guest.close()])
}, 60_000)
