import type { Texts } from './en.ts'
import type { FileTexts } from './files.en.ts'
import type { PageTexts } from './pages.en.ts'
import type { PictureTexts } from './pictures.en.ts'
import type { PracticeTexts } from './practice.en.ts'
import type { SecurityTexts } from './security.en.ts'

type WithoutPlural<Key extends string> = Key extends `${infer Stem}_one` | `${infer Stem}_other` ? Stem : Key

/** Names of the texts of a part, without the endings of plural forms. */
export type KeyOf<Part> = WithoutPlural<keyof Part & string>

/** Names of all texts. */
export type TextKey =
  | KeyOf<Texts>
  | KeyOf<PageTexts>
  | KeyOf<SecurityTexts>
  | KeyOf<FileTexts>
  | KeyOf<PictureTexts>
  | KeyOf<PracticeTexts>
