import type { Texts } from './en.ts'

type WithoutPlural<Key extends string> = Key extends `${infer Stem}_one` | `${infer Stem}_other` ? Stem : Key

/** Names of the texts, without the endings of plural forms. */
export type TextKey = WithoutPlural<keyof Texts>
