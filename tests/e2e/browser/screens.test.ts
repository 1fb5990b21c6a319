import { mkdirSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { befriend, expectStatus, http, newPerson, type Person, stack } from '../stack.ts'
import { type App, axeViolations, desktop, launchBrowser, openApp, phone } from './app.ts'

let browser: Browser
let mina: Person
let group: number

beforeAll(async () => {
  browser = await launchBrowser()
  const first = await newPerson('김미나')
  const juno = await newPerson('박준오')
  const seoyeon = await newPerson('이서연')
  const alex = await newPerson('Alex Kim')
  const haneul = await newPerson('최하늘')
  mina = first
  const [direct] = await Promise.all([befriend(mina, juno), befriend(mina, seoyeon), befriend(mina, alex)])
  await ask(haneul, mina)
  group = await openGroup(mina, [juno, seoyeon, alex])
  await talk(group, [
    [juno, '이번 주말에 북한산 어때요?'],
    [seoyeon, '좋아요! 토요일 아침이 좋을 것 같아요 🙌'],
    [mina, '저도 토요일 괜찮아요. 몇 시에 만날까요?'],
    [alex, 'Saturday works for me too. Shall I bring lunch for everyone?'],
    [juno, '구기동 입구에서 8시 30분에 봐요. 코스는 https://example.com/bukhansan 여기 있어요.'],
    [seoyeon, '김밥은 제가 준비할게요'],
    [mina, '최고예요 ㅎㅎ 그럼 저는 커피 챙겨 갈게요'],
    [alex, '👍'],
  ])
  await talk(direct, [
    [juno, '회의 자료 보냈어요'],
    [mina, '고마워요, 바로 볼게요!'],
  ])
  const api = (method: string, path: string, person: Person, json?: unknown) =>
    expectStatus(
      200,
      http(method, stack.chat + path, { token: person.token, ...(json === undefined ? {} : { json }) }),
    )
  const id = (seq: number) => `${group}:${String(seq).padStart(12, '0')}`
  const { items } = (await http('GET', `${stack.chat}/messages/${group}`, { token: mina.token })).body
  const meeting = items.find(({ content }: { content: string }) => content.includes('8시 30분')).seq
  await api('PUT', `/messages/${group}/${id(meeting)}/pin`, juno)
  for (const person of [mina, seoyeon])
    await api('PUT', `/messages/${group}/${id(meeting)}/reactions/${encodeURIComponent('👍')}`, person)
  await api('PUT', `/rooms/${group}/settings`, mina, { pinned: true })
  await expectStatus(
    201,
    http('POST', `${stack.chat}/messages/${group}`, {
      token: alex.token,
      json: { content: '@김미나 coffee sounds great!', mentions: [mina.id], reply_to: id(meeting) },
    }),
  )
}, 120_000)
afterAll(() => browser?.close())

async function ask(from: Person, to: Person): Promise<void> {
  await expectStatus(
    201,
    http('POST', `${stack.friend}/friends/request`, { token: from.token, json: { target_user_id: to.id } }),
  )
}

async function openGroup(owner: Person, others: Person[]): Promise<number> {
  const json = { name: '주말 등산', member_ids: others.map(({ id }) => id) }
  // Friendships reach chat-service by event.
  for (let attempt = 0; ; attempt++) {
    const answer = await http('POST', `${stack.chat}/rooms`, { token: owner.token, json })
    if (answer.status === 201) return answer.body.room_id
    if (attempt === 50) throw new Error(answer.text)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function talk(room: number, lines: [Person, string][]): Promise<void> {
  for (const [{ token }, content] of lines)
    await expectStatus(201, http('POST', `${stack.chat}/messages/${room}`, { token, json: { content } }))
}

/** Navigates to an address of the app without reloading the page. */
async function go(page: Page, path: string, ready: string): Promise<void> {
  await page.evaluate(`history.pushState({}, '', ${JSON.stringify(path)})`)
  await page.locator(ready).first().waitFor()
}

async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOT_DIR
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: `${folder}/${name}.png`, animations: 'disabled' })
}

const screens = (): [name: string, path: string, ready: string][] => [
  ['rooms', '/rooms', '.rooms li'],
  ['room', `/rooms/${group}`, '.reactions'],
  ['room-info', `/rooms/${group}/info`, '.panel .people li'],
  ['room-pins', `/rooms/${group}/pins`, '.found-message'],
  ['room-search', `/rooms/${group}/search`, '.jump-to-date'],
  ['friends', '/friends', '.list-column .people li'],
  ['find-people', '/friends/find', '.page input'],
  ['person', `/friends/${mina.id}`, '.profile'],
  ['new-group', '/new-group', '.pick-list li'],
  ['search', '/search', '.page input'],
  ['join', '/join#0123456789abcdef', '.page .primary'],
  ['practice', '/practice', '.practice-list li'],
  ['my-practice', '/practice/mine', '.practice-figures'],
  ['archived', '/archived', '.list-column .empty'],
  ['settings', '/settings', '.settings-sections li'],
  ['profile', '/settings/profile', '.page .form'],
  ['appearance', '/settings/appearance', '.page select'],
  ['notifications', '/settings/notifications', '.switch'],
  ['privacy', '/settings/privacy', '.switch'],
  ['security', '/settings/security', '.security-part h3'],
  ['blocked', '/settings/blocked', '.page .empty'],
  ['restricted', '/settings/restricted', '.page .empty'],
  ['sessions', '/settings/sessions', '.sessions li'],
  ['activity', '/settings/activity', '.activities li'],
]

async function checkAll(app: App, size: string): Promise<string[]> {
  const problems: string[] = []
  await app.page.locator('.rooms li').first().waitFor()
  for (const [name, path, ready] of screens()) {
    await go(app.page, path, ready)
    problems.push(...(await axeViolations(app.page)).map((line) => `${name}: ${line}`))
    await shoot(app.page, `${size}-${name}`)
  }
  return [...problems, ...app.complaints]
}

it('every screen meets WCAG 2.2 AA on a light desktop in Korean', async () => {
  const app = await openApp(browser, mina, { size: desktop, locale: 'ko-KR' })
  expect(await checkAll(app, 'desktop')).toEqual([])
  await app.close()
}, 120_000)

it('every screen meets WCAG 2.2 AA on a dark phone in English', async () => {
  const app = await openApp(browser, mina, { size: phone, scheme: 'dark' })
  expect(await checkAll(app, 'phone')).toEqual([])
  await app.close()
}, 120_000)

it('menus, dialogs, the emoji and the drawer meet WCAG 2.2 AA', async () => {
  const app = await openApp(browser, mina, { at: `/rooms/${group}` })
  const { page } = app
  const problems: string[] = []
  const check = async (name: string, ready: string) => {
    await page.locator(ready).first().waitFor()
    problems.push(...(await axeViolations(page)).map((line) => `${name}: ${line}`))
    await shoot(page, `desktop-${name}`)
  }
  await page.locator('.message', { hasText: '몇 시에' }).first().click({ button: 'right' })
  await check('message-menu', '.quick-reaction')
  await page.getByRole('menuitem', { name: 'Forward' }).click()
  await check('forward', '.modal .pick-list li')
  await page.keyboard.press('Escape')
  await page.locator('.emoji-button button').click()
  await check('emoji', '.emoji-grid button')
  await page.keyboard.press('Escape')
  await page.locator('.rail-lab').click()
  await check('underneath', '.lab-frames li, .lab-processes li')
  expect([...problems, ...app.complaints]).toEqual([])
  await app.close()
}, 90_000)

it('signing in and up meets WCAG 2.2 AA and explains errors', async () => {
  const context = await browser.newContext({ viewport: phone, locale: 'ko-KR', serviceWorkers: 'block' })
  const page = await context.newPage()
  await page.goto(stack.gateway)
  await page.locator('input[name=email]').fill(mina.email)
  await page.locator('input[name=password]').fill('wrong password')
  await page.locator('button[type=submit]').click()
  await page.getByText('이메일 또는 비밀번호가 맞지 않아요.').waitFor()
  expect(await axeViolations(page)).toEqual([])
  await page.getByRole('button', { name: '가입하기' }).click()
  await page.locator('input[name=display_name]').waitFor()
  expect(await axeViolations(page)).toEqual([])
  await shoot(page, 'phone-sign-up')
  await context.close()
}, 60_000)
