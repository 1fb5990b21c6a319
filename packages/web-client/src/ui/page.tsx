import { ArrowLeft } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { useT } from '../i18n/index.ts'

/** A page beside the list; full-screen with a back button on a phone. */
export function Page({ title, back, children }: { title: string; back: string; children: ReactNode }) {
  const t = useT()
  return (
    <section className="page">
      <header className="page-header">
        <Link to={back} className="icon-button back" aria-label={t('back')}>
          <ArrowLeft size={22} />
        </Link>
        <h2>{title}</h2>
      </header>
      <div className="page-body">{children}</div>
    </section>
  )
}
