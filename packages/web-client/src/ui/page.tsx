import type { ReactNode } from 'react'
import { BackLink } from './back-link.tsx'

/** A page beside the list; full-screen with a back button on a phone. */
export function Page({ title, back, children }: { title: string; back: string; children: ReactNode }) {
  return (
    <section className="page">
      <header className="page-header">
        <BackLink to={back} />
        <h2>{title}</h2>
      </header>
      <div className="page-body">{children}</div>
    </section>
  )
}
