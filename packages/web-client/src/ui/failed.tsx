import { explain } from '../core/words.ts'
import { useT } from '../i18n/index.ts'

/** A loading error with its reason and a retry button. */
export function Failed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const t = useT()
  return (
    <div className="failed" role="alert">
      <p>{explain(error)}</p>
      <button type="button" onClick={onRetry}>
        {t('tryAgain')}
      </button>
    </div>
  )
}
