import type { Message } from './message-shapes.ts'

const PREVIEW_CHARACTERS = 100
/** Enough for 100 of most characters; a family emoji alone takes 11 units. */
const PREVIEW_UNITS = PREVIEW_CHARACTERS * 4
const graphemes = new Intl.Segmenter()

/** Returns the beginning of a text for lists and replies: at most 100 grapheme clusters, none of them cut. */
export function excerpt(content: string): string {
  if (content.length <= PREVIEW_CHARACTERS) return content
  const start = content.slice(0, PREVIEW_UNITS)
  let end = 0
  let count = 0
  for (const { index, segment } of graphemes.segment(start)) {
    const next = index + segment.length
    // The last cluster of the piece may continue behind it.
    const isWhole = next < start.length || start.length === content.length
    if (count === PREVIEW_CHARACTERS || !isWhole) break
    count++
    end = next
  }
  return content.slice(0, end)
}

/** Returns a message for a user who has deleted it for themselves: position only, without content. */
export function hiddenMessage(shown: Message): Message {
  return {
    ...shown,
    content: '',
    attachment: null,
    file: null,
    mentions: [],
    reactions: [],
    pinned_at: null,
    reply_preview: null,
    is_deleted: true,
    deleted_for: shown.deleted_for ?? 'me',
  }
}
