/** Jamo as typed (ㅋㅋ, ㅠㅠ): compatibility normalization would compose them into syllables (큐). */
const notTypedJamo = /[^\u3130-\u318f\uffa0-\uffdc]+/gu
/** Accents of Latin, Greek and Cyrillic, and vowel points of Arabic and Hebrew: often omitted when typing. */
const optionalMarks =
  /[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0640]/g
const unseen = /\p{Default_Ignorable_Code_Point}/gu
const spaces = /\s+/gu

/**
 * Returns the canonical form of a text for searching, independent of width, case, composition, accents and
 * invisible characters. For comparing, never for display.
 */
export function foldText(text: string): string {
  const compatible = text
    .normalize('NFC')
    .replace(notTypedJamo, (run) => run.normalize('NFKC'))
    .replace(unseen, '')
  // Upper case first, because it maps `ß` and `ss` to the same text.
  const oneCase = compatible.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ')
  return oneCase.normalize('NFD').replace(optionalMarks, '').normalize('NFC').replace(spaces, ' ').trim()
}
