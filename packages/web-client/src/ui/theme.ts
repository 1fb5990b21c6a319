import { Store } from '../core/store.ts'

export type Theme = 'system' | 'light' | 'dark'
const KEY = 'bigtech-chat.theme'

export const theme = new Store<Theme>(stored())

function stored(): Theme {
  const text = localStorage.getItem(KEY)
  return text === 'light' || text === 'dark' ? text : 'system'
}

export function setTheme(next: Theme): void {
  localStorage.setItem(KEY, next)
  theme.set(next)
  applyTheme()
}

const prefersDark = matchMedia('(prefers-color-scheme: dark)')

/** Sets `data-theme` on the document, now and when the system's preference changes. */
export function applyTheme(): void {
  const chosen = theme.get()
  const isDark = chosen === 'dark' || (chosen === 'system' && prefersDark.matches)
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light'
}

prefersDark.addEventListener('change', applyTheme)
