import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { befriend, expectStatus, http, newPerson, type Person, stack } from '../stack.ts'
import { bubble, composer, launchBrowser, openApp, phone, write } from './app.ts'

let browser: Browser
let mina: Person
let juno: Person
let sora: Person
let direct: number

beforeAll(async () => {
  const people = Promise.all([newPerson('김미나'), newPerson('박준오'), newPerson('이소라')])
  browser = await launchBrowser()
  ;[mina, juno, sora] = await people
  direct = await befriend(mina, juno)
  await befriend(mina, sora)
}, 60_000)
afterAll(() => browser?.close())

/** A group of Mina and Juno. */
async function newGroup(name: string): Promise<number> {
  const { body } = await expectStatus(
    201,
    http('POST', `${stack.chat}/rooms`, { token: mina.token, json: { name, member_ids: [juno.id] } }),
  )
  return body.room_id
}

const says = (page: Page, line: string) => page.locator('.message.system', { hasText: line })

async function actOn(page: Page, name: string, action: string): Promise<void> {
  await page
    .locator('.panel')
    .getByRole('button', { name: `Actions for ${name}` })
    .click()
  await page.getByRole('menuitem', { name: action }).click()
}

it('an owner creates a group, appoints an admin who removes a member, and transfers ownership before leaving', async () => {
  const owner = await openApp(browser, mina, { at: '/new-group' })
  const friend = await openApp(browser, juno, { size: phone })
  await owner.page.getByLabel('Group name').fill('주말 등산')
  await owner.page.getByRole('checkbox', { name: '박준오' }).check()
  await owner.page.getByRole('button', { name: 'Create with 1 friend' }).click()
  await composer(owner.page).waitFor()
  await friend.page.locator('.room-row', { hasText: '주말 등산' }).locator('a').click()
  await composer(friend.page).waitFor()

  await owner.page.goto(`${owner.page.url()}/info`)
  await owner.page.getByRole('button', { name: 'Invite friends' }).click()
  const dialog = owner.page.getByRole('dialog')
  await dialog.getByRole('checkbox', { name: '이소라' }).check()
  // Who is in the group already is not offered.
  expect(await dialog.getByRole('checkbox', { name: '박준오' }).count()).toBe(0)
  await dialog.getByRole('button', { name: 'Invite friends' }).click()
  await says(friend.page, '김미나 invited 이소라').waitFor()
  await actOn(owner.page, '박준오', 'Make admin')
  await says(friend.page, '박준오 is an admin now').waitFor()

  // The new admin's window shows the role without a reload.
  await friend.page.getByRole('button', { name: 'Chat info' }).click()
  await actOn(friend.page, '이소라', 'Remove from the group')
  await says(owner.page, '박준오 removed 이소라').waitFor()

  await actOn(owner.page, '박준오', 'Transfer ownership')
  await owner.page.locator('.person', { hasText: '박준오' }).locator('.role', { hasText: 'Owner' }).waitFor()
  await owner.page.getByRole('button', { name: 'Leave group' }).click()
  await owner.page.getByRole('dialog').getByRole('button', { name: 'Leave group' }).click()
  await owner.page.waitForURL('**/rooms')
  await owner.page.locator('.room-row', { hasText: '주말 등산' }).waitFor({ state: 'detached' })
  await friend.page.getByRole('button', { name: 'Close' }).click()
  await says(friend.page, '김미나 left').waitFor()
  // Also once neither is a member any more.
  await friend.page.reload()
  await says(friend.page, '김미나 left').waitFor()
  await says(friend.page, '박준오 removed 이소라').waitFor()
  expect([...owner.complaints, ...friend.complaints]).toEqual([])
  await Promise.all([owner.close(), friend.close()])
}, 90_000)

it('a user joins a group by its link, which no longer works once it is revoked', async () => {
  const group = await newGroup('독서 모임')
  const owner = await openApp(browser, mina, { at: `/rooms/${group}/info` })
  await owner.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await owner.page.getByRole('button', { name: 'Create a link for a week' }).click()
  const link = await owner.page.getByLabel('New join link').inputValue()
  expect(new URL(link).hash.length).toBeGreaterThan(8)

  const { pathname, hash } = new URL(link)
  const guest = await openApp(browser, sora, { at: pathname + hash })
  await guest.page.getByRole('button', { name: 'Join' }).click()
  await guest.page.waitForURL(`**/rooms/${group}`)
  await says(owner.page, '이소라 joined').waitFor()
  await write(guest.page, '안녕하세요, 소라예요')
  await bubble(owner.page, '안녕하세요, 소라예요').waitFor()

  await owner.page.getByRole('button', { name: 'Revoke link' }).click()
  await owner.page.getByRole('button', { name: 'Revoke link' }).waitFor({ state: 'detached' })
  const late = await openApp(browser, await newPerson('한지우'), { at: pathname + hash })
  await late.page.getByRole('button', { name: 'Join' }).click()
  await late.page.getByText('This link is no longer valid. Ask for a new link.').waitFor()
  expect([...owner.complaints, ...guest.complaints]).toEqual([])
  await Promise.all([owner.close(), guest.close(), late.close()])
}, 90_000)

it('a member who is mentioned sees it in the list of rooms, and in the message', async () => {
  const group = await newGroup('점심')
  const writer = await openApp(browser, mina, { at: `/rooms/${group}` })
  const friend = await openApp(browser, juno, { size: phone })
  await friend.page.locator(`[data-room-id="${group}"]`).waitFor()
  await composer(writer.page).pressSequentially('@박')
  await writer.page.locator('.mention-list button', { hasText: '박준오' }).waitFor()
  await composer(writer.page).press('Enter')
  await composer(writer.page).pressSequentially('오늘 어디 가요?')
  await composer(writer.page).press('Enter')
  const row = friend.page.locator(`[data-room-id="${group}"]`)
  await row.locator('.mention-mark').waitFor()
  await row.locator('a').click()
  const message = friend.page.locator('.message', { hasText: '@박준오 오늘 어디 가요?' })
  await message.locator('.mention.me', { hasText: '@박준오' }).waitFor()
  await friend.page.locator('.room-header .back').click()
  await row.locator('.mention-mark').waitFor({ state: 'detached' })
  expect([...writer.complaints, ...friend.complaints]).toEqual([])
  await Promise.all([writer.close(), friend.close()])
}, 90_000)

it('a message that is forwarded arrives in the other room, marked as forwarded', async () => {
  const group = await newGroup('공지')
  const sender = await openApp(browser, mina, { at: `/rooms/${group}` })
  const friend = await openApp(browser, juno, { at: `/rooms/${direct}` })
  await composer(friend.page).waitFor()
  await write(sender.page, '세 시에 만나요')
  await sender.page.locator('.message.mine:not(.pending)', { hasText: '세 시에' }).click({ button: 'right' })
  await sender.page.getByRole('menuitem', { name: 'Forward' }).click()
  const dialog = sender.page.getByRole('dialog')
  await dialog.getByRole('checkbox', { name: '박준오' }).check()
  await dialog.getByRole('button', { name: 'Forward to 1' }).click()
  await sender.page.getByText('Forwarded to 1 chat.').waitFor()
  const arrived = friend.page.locator('.message', { hasText: '세 시에 만나요' })
  await arrived.locator('.marks', { hasText: 'Forwarded' }).waitFor()
  expect([...sender.complaints, ...friend.complaints]).toEqual([])
  await Promise.all([sender.close(), friend.close()])
}, 90_000)
