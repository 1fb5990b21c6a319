import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { http, newPerson, type Person, stack } from '../stack.ts'
import { axeViolations, launchBrowser, openApp, phone } from './app.ts'

const WAV_HEADER_BYTES = 44

let folder: string
let mina: Person
let line: { script_id: number; text: string; token_id: number; duration: number }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'practice-'))
  mina = await newPerson('김미나')
  line = await firstLine()
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function firstLine(): Promise<typeof line> {
  const get = async (path: string) =>
    (await http('GET', `${stack.gateway}/api${path}`, { token: mina.token })).body
  const [script] = (await get('/scripts?language=ko')).items
  const [token] = (await get(`/scripts/${script.script_id}`)).tokens
  return { ...token, duration: token.end_time - token.start_time }
}

/** A browser whose microphone hears the reference clip of the line, or a silence of the same length. */
async function browserThatHears(what: 'clip' | 'silence'): Promise<Browser> {
  const response = await fetch(`${stack.gateway}/api/tokens/${line.token_id}/clip`, {
    headers: { authorization: `Bearer ${mina.token}` },
  })
  const wav = Buffer.from(await response.arrayBuffer())
  const path = join(folder, `${what}.wav`)
  await writeFile(path, what === 'clip' ? wav : wav.fill(0, WAV_HEADER_BYTES))
  return launchBrowser(`--use-file-for-fake-audio-capture=${path}`)
}

/** Records the line until the clip has been heard, or for two seconds. */
async function record(page: Page): Promise<void> {
  await page.getByRole('button', { name: `Record “${line.text}”` }).click()
  const seconds = Math.max(2, Math.ceil(line.duration))
  await page.getByRole('timer').getByText(`0:0${seconds}`).waitFor()
  await page.getByRole('button', { name: 'Stop and analyze' }).click()
}

it('a user who repeats a line gets scores and finds them and a bookmark on their practice page', async () => {
  const browser = await browserThatHears('clip')
  const { page, complaints } = await openApp(browser, mina, { at: '/practice', size: phone })
  await page.locator(`a[href="/practice/${line.script_id}"]`).first().click()
  await page.getByRole('button', { name: `Listen to “${line.text}”` }).click()
  await page.getByRole('button', { name: `Bookmark “${line.text}”` }).click()
  await page.getByRole('button', { name: `Bookmark “${line.text}”`, pressed: true }).waitFor()
  await record(page)
  await page.locator('.practice-scores').waitFor({ timeout: 60_000 })
  const scores = await page.locator('.practice-scores strong').allTextContents()
  expect(scores).toHaveLength(4)
  expect(await page.locator('.practice-words li').count()).toBeGreaterThan(0)
  expect(await axeViolations(page)).toEqual([])
  await page.getByRole('button', { name: 'Try again' }).waitFor()
  await page.locator('.page-header .back').click()
  await page.getByRole('link', { name: 'My practice' }).click()
  await page.getByText('1 attempt').waitFor()
  expect(await page.locator('.practice-rows').first().locator('li').count()).toBe(1)
  await page.getByRole('button', { name: `Last result of “${line.text}”` }).click()
  await page.locator('.modal .practice-scores').waitFor()
  expect(await page.locator('.modal .practice-scores strong').allTextContents()).toEqual(scores)
  expect(await axeViolations(page)).toEqual([])
  expect(complaints).toEqual([])
  await browser.close()
}, 120_000)

it('a recording without speech is reported, and another attempt can begin', async () => {
  const browser = await browserThatHears('silence')
  const { page } = await openApp(browser, mina, { at: `/practice/${line.script_id}` })
  await record(page)
  await page.locator('.practice-attempt [role=alert]').waitFor({ timeout: 60_000 })
  expect(await page.locator('.practice-attempt [role=alert]').textContent()).toContain('Nothing was heard.')
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByRole('timer').waitFor()
  await browser.close()
}, 120_000)
