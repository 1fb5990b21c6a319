import { useId } from 'react'
import { useStore } from '../core/store.ts'
import { type Language, setLanguage, useLanguage, useT } from '../i18n/index.ts'
import { setTheme, type Theme, theme } from './theme.ts'

/** @param onLanguage called when the user has chosen a language */
export function LanguageAndTheme({ onLanguage }: { onLanguage?: (language: Language) => void }) {
  const t = useT()
  const id = useId()
  return (
    <div className="language-and-theme">
      <label htmlFor={`${id}-language`}>{t('settings.language')}</label>
      <select
        id={`${id}-language`}
        value={useLanguage()}
        onChange={(event) => {
          const language = event.target.value as Language
          void setLanguage(language)
          onLanguage?.(language)
        }}
      >
        <option value="ko" lang="ko">
          한국어
        </option>
        <option value="en" lang="en">
          English
        </option>
      </select>
      <label htmlFor={`${id}-theme`}>{t('settings.theme')}</label>
      <select
        id={`${id}-theme`}
        value={useStore(theme)}
        onChange={(event) => setTheme(event.target.value as Theme)}
      >
        <option value="system">{t('settings.theme.system')}</option>
        <option value="light">{t('settings.theme.light')}</option>
        <option value="dark">{t('settings.theme.dark')}</option>
      </select>
    </div>
  )
}
