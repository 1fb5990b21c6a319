import { readFile } from 'node:fs/promises'
import { generateSync } from 'otplib'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newPerson, type Person, password, stack } from '../stack.ts'
import { axeViolations, desktop, launchBrowser, openApp, phone } from './app.ts'

let browser: Browser

beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())

/** Passkeys are bound to this host name; browsers refuse them for an IP address. */
const site = stack.gateway.replace('127.0.0.1', 'localhost')

/** Returns the current six digits of an authenticator app. */
const codeOf = (secret: string) => generateSync({ secret })

async function submitProof(page: Page, button: string, code?: string): Promise<void> {
  await page.locator('input[name=password]').fill(password)
  if (code) await page.locator('input[name=code]').fill(code)
  await page.getByRole('button', { name: button, exact: true }).last().click()
}

async function shownCodes(page: Page): Promise<string[]> {
  const codes = page.locator('.recovery-codes code')
  await codes.first().waitFor()
  return codes.allTextContents()
}

/** Submits the first step of a sign-in. */
async function startSignIn(page: Page, { email }: Person): Promise<void> {
  await page.goto(site)
  await page.locator('input[name=email]').fill(email)
  await page.locator('input[name=password]').fill(password)
  await page.locator('button[type=submit]').click()
}

it('an authenticator app is set up by QR code, and a recovery code signs in after its loss', async () => {
  const mina = await newPerson('김미나')
  const app = await openApp(browser, mina, { at: '/settings/security', size: phone })
  const { page } = app
  await page.getByRole('button', { name: 'Set up an authenticator app' }).click()
  await submitProof(page, 'Set up an authenticator app')
  await page.getByRole('img', { name: 'QR code for the authenticator app' }).waitFor()
  const secret = await page.getByLabel('Key', { exact: true }).inputValue()
  expect(await axeViolations(page)).toEqual([])
  await page.locator('input[name=code]').fill('000000')
  await page.getByRole('button', { name: 'Turn on' }).click()
  await page.getByText('This code is not valid.').waitFor()
  await page.locator('input[name=code]').fill(codeOf(secret))
  await page.getByRole('button', { name: 'Turn on' }).click()
  const codes = await shownCodes(page)
  expect(codes).toHaveLength(10)
  expect(await axeViolations(page)).toEqual([])
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Save as a file' }).click()
  expect(await readFile(await (await download).path(), 'utf8')).toBe(`${codes.join('\n')}\n`)
  await page.getByRole('button', { name: 'I have saved them' }).click()
  await page.getByText('10 recovery codes are left.').waitFor()

  const elsewhere = await browser.newContext({ viewport: phone, locale: 'en-US', serviceWorkers: 'block' })
  const other = await elsewhere.newPage()
  await startSignIn(other, mina)
  await other.locator('input[name=code]').fill(codes[0] ?? '')
  await other.locator('button[type=submit]').click()
  await other.locator('.rail').waitFor()
  await elsewhere.close()

  await page.getByRole('button', { name: 'New recovery codes' }).click()
  await submitProof(page, 'New recovery codes', codes[1])
  const [fresh] = await shownCodes(page)
  expect(codes).not.toContain(fresh)
  await page.getByRole('button', { name: 'I have saved them' }).click()
  await page.getByRole('button', { name: 'Turn off' }).click()
  // The old codes were replaced.
  await submitProof(page, 'Turn off', codes[2])
  await page.getByText('This code is not valid.').waitFor()
  await submitProof(page, 'Turn off', fresh)
  await page.getByRole('button', { name: 'Set up an authenticator app' }).waitFor()
  expect(app.complaints).toEqual([])
  await app.close()
}, 90_000)

/** Adds a virtual authenticator that verifies its user automatically. */
async function withAuthenticator(context: BrowserContext, page: Page): Promise<void> {
  const devtools = await context.newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
}

it('a passkey signs in without a password, by the button or picked in the account field, until it is removed', async () => {
  const juno = await newPerson('박준오')
  const app = await openApp(browser, juno, { at: '/settings/security', size: desktop, locale: 'en-US' })
  const { page } = app
  await withAuthenticator(app.context, page)
  // A virtual authenticator picks a suggested passkey at once: only when the test wants it to.
  await page.addInitScript(
    'PublicKeyCredential.isConditionalMediationAvailable = async () => window.suggests === true',
  )
  await page.goto(`${site}/settings/security`)
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.locator('input[name=name]').fill('My laptop')
  expect(await axeViolations(page)).toEqual([])
  await submitProof(page, 'Add a passkey')
  await page.getByText('My laptop').waitFor()

  // The browser already has a passkey and reports it.
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.locator('input[name=name]').fill('Once more')
  await submitProof(page, 'Add a passkey')
  await page.getByText('This device has a passkey of your account already.').waitFor()
  await page.keyboard.press('Escape')

  await page.getByRole('button', { name: 'Sign out', exact: true }).click()
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.getByText('Last used just now').waitFor()

  // Picked among the suggestions of the account field, without the button.
  await page.evaluate('window.suggests = true')
  const signedIn = page.waitForResponse(/\/auth\/login\/passkey$/)
  await page.getByRole('button', { name: 'Sign out', exact: true }).click()
  expect((await signedIn).status()).toBe(200)
  await page.evaluate('window.suggests = false')
  await page.getByRole('button', { name: 'Remove My laptop' }).click()
  await submitProof(page, 'Remove')
  await page.getByText('Passkey removed.').waitFor()
  await page.getByRole('button', { name: 'Sign out', exact: true }).click()
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.getByText('This passkey does not belong to an account here.').waitFor()
  expect(app.complaints).toEqual([])
  await app.close()
}, 90_000)

it('the account activity lists sign-ins and changes, newest first and page by page, and leads to the devices', async () => {
  const mina = await newPerson('김미나')
  const headers = { authorization: `Bearer ${mina.token}`, 'content-type': 'application/json' }
  for (let count = 1; count <= 31; count++) {
    const body = JSON.stringify({ status_message: `상태 ${count}` })
    const { status } = await fetch(`${stack.user}/profile/me`, { method: 'PUT', headers, body })
    expect(status).toBe(200)
  }
  const { page, complaints, close } = await openApp(browser, mina, { at: '/settings', size: phone })
  await page.getByRole('link', { name: 'Account activity' }).click()
  const rows = page.locator('.activities li')
  await rows.first().waitFor()
  expect(await rows.count()).toBe(30)
  expect(await rows.first().textContent()).toContain('Profile changed')
  await page.getByRole('button', { name: 'Show more' }).click()
  await rows.filter({ hasText: 'Signed in' }).waitFor()
  expect(await page.getByRole('button', { name: 'Show more' }).count()).toBe(0)
  await page.getByRole('link', { name: 'Check your signed-in devices' }).click()
  await page.locator('.sessions li', { hasText: 'this device' }).waitFor()
  expect(complaints).toEqual([])
  await close()
}, 60_000)
