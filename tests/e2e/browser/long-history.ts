import { messageExample } from '@bigtech/contracts'
import type { Page } from 'playwright-core'
import type { Person } from '../stack.ts'

export const HISTORY = 10_000

/** Returns a page of a generated history, because storing ten thousand messages is not measured. */
function pageOfHistory(url: URL, room: number, authors: readonly Person[]): unknown {
  const limit = Number(url.searchParams.get('limit') ?? 50)
  const before = Number(url.searchParams.get('before_seq') ?? HISTORY + 1)
  const around = Number(url.searchParams.get('around_seq') ?? 0)
  const from = Math.max(1, around ? around - limit / 2 : before - limit)
  const items = Array.from({ length: Math.min(limit, HISTORY + 1 - from) }, (_, at) => ({
    ...messageExample,
    message_id: `${room}:${String(from + at).padStart(12, '0')}`,
    room_id: room,
    seq: from + at,
    user_id: authors[(from + at) % authors.length]?.id,
    content: `${from + at}번째 메시지 `.repeat(1 + ((from + at) % 7)),
    created_at: new Date(1_700_000_000_000 + (from + at) * 20_000).toISOString(),
    client_message_id: null,
    reactions: [],
  }))
  return { items, next_cursor: null, last_seq: HISTORY, last_cseq: 0 }
}

/** Opens a room with a history of 10,000 messages from the room list. */
export async function openLongHistory(page: Page, room: number, members: readonly Person[]): Promise<void> {
  await page.route('**/api/messages/*?**', (route) =>
    route.fulfill({ json: pageOfHistory(new URL(route.request().url()), room, members) }),
  )
  const items = members.map(({ id }) => ({ user_id: id, seq: HISTORY }))
  await page.route('**/api/rooms/*/read', (route) => route.fulfill({ json: { items } }))
  await page.locator(`[data-room-id="${room}"] > a`).click()
  await page.locator(`.message[data-seq="${HISTORY}"]`).waitFor()
}

interface Scrolled {
  /** The `seq` of the first message in the document at the end. */
  readonly first: number
  readonly mostRows: number
}

/** Scrolls back by 700 pixels per frame. */
export async function scrollBack(page: Page, steps: number): Promise<Scrolled> {
  let mostRows = 0
  for (let step = 0; step < steps; step++) {
    const rows = await page.locator('.log').evaluate((log) => {
      log.scrollTop = Math.max(0, log.scrollTop - 700)
      return log.querySelectorAll('.log-row').length
    })
    mostRows = Math.max(mostRows, rows)
    await page.evaluate('new Promise((resolve) => requestAnimationFrame(resolve))')
  }
  const shown = await page
    .locator('.message')
    .evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('data-seq'))))
  return { first: Math.min(...shown), mostRows }
}
