import { useT } from '../i18n/index.ts'

export function Spinner({ isPage = false }: { isPage?: boolean }) {
  const t = useT()
  return (
    <div className={isPage ? 'spinner-page' : 'spinner-box'} role="status">
      <span className="spinner" />
      <span className="visually-hidden">{t('loading')}</span>
    </div>
  )
}
