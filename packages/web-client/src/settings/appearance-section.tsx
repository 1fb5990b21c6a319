import { updateMySettings } from '@bigtech/client'
import { call } from '../core/api.ts'
import { LanguageAndTheme } from '../ui/language-and-theme.tsx'
import { attempt } from '../ui/notices.tsx'

/** Language and theme of this browser; mails are written in the chosen language. */
export function AppearanceSection() {
  const keepLocale = (locale: string) =>
    void attempt(async () => {
      await call(updateMySettings, { body: { locale } })
    })
  return <LanguageAndTheme onLanguage={keepLocale} />
}
