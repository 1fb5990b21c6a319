import i18next from 'i18next'
import { useSyncExternalStore } from 'react'
import type { TextKey } from './keys.ts'

export type { TextKey } from './keys.ts'

export type Language = 'ko' | 'en'
export type Translate = (key: TextKey, values?: Record<string, string | number>) => string

const KEY = 'bigtech-chat.language'

type Load = Record<Language, () => Promise<{ texts: Record<string, string> }>>

/** `app` is loaded at startup; lazily loaded screens load their own part (`lazyWithTexts`). */
const parts = {
  app: { ko: () => import('./ko.ts'), en: () => import('./en.ts') },
  pages: { ko: () => import('./pages.ko.ts'), en: () => import('./pages.en.ts') },
  files: { ko: () => import('./files.ko.ts'), en: () => import('./files.en.ts') },
  pictures: { ko: () => import('./pictures.ko.ts'), en: () => import('./pictures.en.ts') },
  practice: { ko: () => import('./practice.ko.ts'), en: () => import('./practice.en.ts') },
  security: { ko: () => import('./security.ko.ts'), en: () => import('./security.en.ts') },
} satisfies Record<string, Load>

export type Part = keyof typeof parts

const needed = new Set<Part>(['app'])

/** Returns the user's choice, else the browser's language (Accept-Language), else English. */
function preferredLanguage(): Language {
  const chosen = localStorage.getItem(KEY)
  if (chosen === 'ko' || chosen === 'en') return chosen
  return navigator.languages.some((tag) => tag.toLowerCase().startsWith('ko')) &&
    !navigator.languages[0]?.toLowerCase().startsWith('en')
    ? 'ko'
    : 'en'
}

/** Loads the texts in the user's language, including those of the first screen. */
export async function startI18n(first: readonly Part[]): Promise<void> {
  for (const part of first) needed.add(part)
  await i18next.init({
    lng: 'dev',
    fallbackLng: false,
    keySeparator: false,
    nsSeparator: false,
    // React escapes; escaping here too would escape names twice.
    interpolation: { escapeValue: false },
    resources: {},
  })
  await useLanguageNow(preferredLanguage())
}

/** Switches the language and remembers it. */
export async function setLanguage(language: Language): Promise<void> {
  localStorage.setItem(KEY, language)
  await useLanguageNow(language)
}

/** Loads the texts of a part in the current language and in every language chosen later. */
export async function needTexts(part: Part): Promise<void> {
  needed.add(part)
  await loadTexts(part, i18next.language as Language)
}

async function loadTexts(part: Part, language: Language): Promise<void> {
  const { texts } = await parts[part][language]()
  i18next.addResourceBundle(language, 'translation', texts, true)
}

async function useLanguageNow(language: Language): Promise<void> {
  await Promise.all([...needed].map((part) => loadTexts(part, language)))
  await i18next.changeLanguage(language)
  document.documentElement.lang = language
}

const subscribe = (listener: () => void): (() => void) => {
  i18next.on('languageChanged', listener)
  return () => i18next.off('languageChanged', listener)
}

/** Returns the current language; re-renders on changes. */
export function useLanguage(): Language {
  return useSyncExternalStore(subscribe, () => i18next.language) as Language
}

/** Returns the texts of the current language; re-renders on changes. */
export function useT(): Translate {
  useLanguage()
  return t
}

export const t: Translate = (key, values) => i18next.t(key, values ?? {}) as string
