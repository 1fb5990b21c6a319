import type { ReactNode } from 'react'
import { LanguageAndTheme } from '../ui/language-and-theme.tsx'
import '../styles/auth.css'

/** The frame of every page for users who are not signed in. */
export function AuthCard({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="auth">
      <main className="auth-card">
        <img src="/icon.svg" alt="" width={56} height={56} />
        <h1>{title}</h1>
        {children}
      </main>
      <footer>
        <LanguageAndTheme />
      </footer>
    </div>
  )
}
