import axe from 'axe-core'
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core'
import { type Person, stack } from '../stack.ts'

export const phone = { width: 360, height: 740 }
export const desktop = { width: 1_440, height: 900 }

const lifetimeMs = 9 * 60_000

/**
 * Chromium's features without use in a test. Playwright's own list comes first: a second `--disable-features` replaces it.
 * Without the last line every window loads two pages for the suggestions of its address bar, 0.6 s of CPU time.
 */
const disabledFeatures = [
  'AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable',
  'LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect',
  'OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch',
  'WebUIOmniboxPopup,WebUIOmniboxAimPopup',
]

const browsers = new Set<Browser>()

/** Returns the pages of all browsers of this process. */
export const openPages = (): Page[] =>
  [...browsers].flatMap((browser) => browser.contexts().flatMap((context) => context.pages()))

/** @param options additional command line options */
export async function launchBrowser(...options: string[]): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      `--disable-features=${disabledFeatures.join(',')}`,
      // A fake microphone that beeps, with permission granted.
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      ...options,
    ],
  })
  browsers.add(browser)
  browser.once('disconnected', () => browsers.delete(browser))
  return browser
}

interface OpenOptions {
  readonly at?: string
  readonly size?: { width: number; height: number }
  readonly locale?: 'ko-KR' | 'en-US'
  readonly scheme?: 'light' | 'dark'
  /** Runs before the first page, for example to delay routes. */
  readonly prepare?: (context: BrowserContext) => Promise<void>
}

/** A separate browser with a signed-in user. */
export interface App {
  readonly context: BrowserContext
  readonly page: Page
  /** Console errors, except for network failures caused by a test. */
  readonly complaints: string[]
  close(): Promise<void>
}

/** Opens the app as a user; injects the session, because signing in costs a password hash. */
export async function openApp(browser: Browser, person: Person, options: OpenOptions = {}): Promise<App> {
  const { at = '/rooms', size = desktop, locale = 'en-US', scheme = 'light' } = options
  const context = await browser.newContext({
    viewport: size,
    locale,
    colorScheme: scheme,
    serviceWorkers: 'block',
    hasTouch: size.width < 600,
  })
  const session = {
    accessToken: person.token,
    refreshToken: person.refreshToken,
    accessExpiresAt: Date.now() + lifetimeMs,
    userId: person.id,
  }
  const text = JSON.stringify(JSON.stringify(session))
  // Once: later pages of the context keep the app's state.
  await context.addInitScript(`if (!localStorage.getItem('test.seeded')) {
    localStorage.setItem('bigtech-chat.session', ${text})
    localStorage.setItem('test.seeded', 'yes')
  }`)
  await options.prepare?.(context)
  const complaints: string[] = []
  const page = await openTab(context, complaints, at)
  return { context, page, complaints, close: () => context.close() }
}

/** Opens another tab of the same browser. */
export async function openTab(context: BrowserContext, complaints: string[], at: string): Promise<Page> {
  const page = await context.newPage()
  page.on('pageerror', (err) => complaints.push(err.message))
  page.on('console', (line) => {
    const isNetwork = line.text().includes('net::') || line.text().includes('Failed to load resource')
    if (line.type() === 'error' && !isNetwork) complaints.push(line.text())
  })
  await page.goto(stack.gateway + at)
  return page
}

export const composer = (page: Page): Locator => page.locator('.composer textarea')

export async function write(page: Page, text: string): Promise<void> {
  await composer(page).fill(text)
  await composer(page).press('Enter')
}

/** Returns the bubble with exactly this text. */
export const bubble = (page: Page, text: string): Locator =>
  page.locator('.bubble', { has: page.getByText(text, { exact: true }) })

/** Returns axe's WCAG 2.2 AA violations, one line each. */
export async function axeViolations(page: Page): Promise<string[]> {
  // Playwright evaluates outside the page's Content-Security-Policy.
  await page.evaluate(axe.source)
  const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
  const { violations } = (await page.evaluate(
    `axe.run(document, { runOnly: ${JSON.stringify(rules)} })`,
  )) as { violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[] }
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} ${failureSummary}`),
  )
}
