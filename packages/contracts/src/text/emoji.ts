import { z } from 'zod'

/** UTF-16 units: the longest emoji of Unicode 17 has 15. */
const MAX_UNITS = 32

/** Rendered as text unless U+FE0F follows; also an emoji with a skin tone. */
const needsPresentation = /(?!\p{Emoji_Presentation})\p{Emoji}(?!\p{Emoji_Modifier})/gu
const recommended = /^\p{RGI_Emoji}$/v

/** Returns the fully-qualified spelling of an emoji (UTS 51, ED-18a): `❤` and `❤️` are the same emoji. */
export function canonicalEmoji(text: string): string {
  return text.replaceAll('\ufe0f', '').replace(needsPresentation, '$&\ufe0f')
}

/** An emoji of keyboards ("recommended for general interchange", UTS 51) in its normalized spelling. */
export const emoji = z
  .string()
  .max(MAX_UNITS, { abort: true, error: 'One emoji.' })
  .overwrite(canonicalEmoji)
  .refine((text) => recommended.test(text), 'One emoji.')
  .meta({ minLength: 1, maxLength: MAX_UNITS, examples: ['👍'] })
