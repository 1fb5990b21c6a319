import { ArrowLeft } from 'lucide-react'
import { Link } from 'wouter'
import { useT } from '../i18n/index.ts'

/** Leads from a page to its list, where a phone shows only one of them. */
export function BackLink({ to }: { to: string }) {
  const t = useT()
  return (
    <Link to={to} className="icon-button back" aria-label={t('back')}>
      <ArrowLeft size={22} />
    </Link>
  )
}
