import { waitFor } from '@bigtech/testkit'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { befriend, expectStatus, http, newPerson, type Person, stack } from '../stack.ts'
import { axeViolations, launchBrowser, openApp, phone } from './app.ts'

let browser: Browser
let mina: Person
let juno: Person
let direct: number

beforeAll(async () => {
  const people = Promise.all([newPerson('김미나'), newPerson('박준오')])
  browser = await launchBrowser()
  ;[mina, juno] = await people
  direct = await befriend(mina, juno)
})
afterAll(() => browser?.close())

/** Chooses a screenshot of the page as the picture, and its left part by keyboard. */
async function setPicture(page: Page): Promise<void> {
  const buffer = await page.screenshot()
  await page
    .locator('.picture-field input[type=file]')
    .setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer })
  const zoom = page.getByRole('slider', { name: 'Zoom' })
  await zoom.focus()
  await page.keyboard.press('End')
  await page.getByRole('slider', { name: 'Move left and right' }).press('Home')
  expect(await axeViolations(page)).toEqual([])
  await page.locator('.modal').getByRole('button', { name: 'Save' }).click()
  await page.locator('.modal').waitFor({ state: 'detached' })
}

const widthOf = (image: unknown) => (image as { naturalWidth: number }).naturalWidth

/** Waits until the browser has loaded the picture. */
async function isShown(page: Page, where: string): Promise<void> {
  const image = page.locator(`${where} .avatar img[src^="/api/pictures/"]`).first()
  await image.waitFor()
  await waitFor(async () => (await image.evaluate(widthOf)) === 512, {
    what: 'the picture',
  })
}

it('a profile picture is cropped, shown to friends, and disappears when removed', async () => {
  const { page, complaints, close } = await openApp(browser, mina, { at: '/settings/profile', size: phone })
  await page.locator('.picture-field input[type=file]').setInputFiles({
    name: 'no.png',
    mimeType: 'image/png',
    buffer: Buffer.from('this is no picture'),
  })
  await page.getByText('This file is not a picture that this browser can read.').waitFor()
  await setPicture(page)
  await isShown(page, '.picture-field')
  const other = await openApp(browser, juno, { at: `/rooms/${direct}` })
  await isShown(other.page, '.room-header')
  await isShown(other.page, '.rooms')
  await page.getByRole('button', { name: 'Remove the picture' }).click()
  await page.locator('.picture-field img').waitFor({ state: 'detached' })
  await other.page.goto(`${stack.gateway}/friends`)
  await other.page.locator('.person', { hasText: '김미나' }).waitFor()
  expect(await other.page.locator('.person img').count()).toBe(0)
  expect([...complaints, ...other.complaints]).toEqual([])
  await Promise.all([close(), other.close()])
}, 90_000)

it("a group's picture is set by its owner and shown to its members immediately", async () => {
  const json = { name: '주말 등산', member_ids: [juno.id] }
  const created = await expectStatus(201, http('POST', `${stack.chat}/rooms`, { token: mina.token, json }))
  const group: number = created.body.room_id
  const owner = await openApp(browser, mina, { at: `/rooms/${group}/info` })
  const member = await openApp(browser, juno, { at: `/rooms/${group}` })
  await member.page.locator('.room-header').waitFor()
  await setPicture(owner.page)
  await isShown(owner.page, '.room-header')
  await isShown(member.page, '.room-header')
  await isShown(member.page, '.rooms')
  await member.page.getByText("changed the group's picture").first().waitFor()
  expect([...owner.complaints, ...member.complaints]).toEqual([])
  await Promise.all([owner.close(), member.close()])
}, 90_000)

it('a group is created with a picture, which its creator and its members see', async () => {
  const owner = await openApp(browser, mina, { at: '/new-group', size: phone })
  await setPicture(owner.page)
  await isShown(owner.page, '.picture-field')
  await owner.page.getByLabel('Group name').fill('사진 모임')
  await owner.page.getByRole('checkbox', { name: '박준오' }).check()
  await owner.page.getByRole('button', { name: 'Create with 1 friend' }).click()
  await isShown(owner.page, '.room-header')
  const member = await openApp(browser, juno)
  await isShown(member.page, '.room-row:has-text("사진 모임")')
  expect([...owner.complaints, ...member.complaints]).toEqual([])
  await Promise.all([owner.close(), member.close()])
}, 90_000)
