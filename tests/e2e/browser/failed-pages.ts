import { afterEach } from 'vitest'
import { openPages } from './app.ts'

const MAX_CHARACTERS = 1_500

// A timeout alone does not tell what the page showed instead.
afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return
  for (const page of openPages()) {
    const text = await page.locator('body').ariaSnapshot({ timeout: 2_000 }).catch(String)
    console.error(`${task.name}: ${page.url()} showed\n${text.slice(0, MAX_CHARACTERS)}\n`)
  }
})
