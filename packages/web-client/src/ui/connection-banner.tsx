import { useEffect, useState } from 'react'
import { streamState } from '../core/live.ts'
import { useStore } from '../core/store.ts'
import { useT } from '../i18n/index.ts'

const SHOWN_AFTER_MS = 2_000

/** Reports a lost connection after a delay, because a resume takes less. */
export function ConnectionBanner() {
  const t = useT()
  const state = useStore(streamState)
  const [isLate, setLate] = useState(false)
  const isOpen = state === 'open'
  useEffect(() => {
    setLate(false)
    if (isOpen) return
    const timer = setTimeout(() => setLate(true), SHOWN_AFTER_MS)
    return () => clearTimeout(timer)
  }, [isOpen])
  return (
    <div role="status" className="connection" data-state={state}>
      {!isOpen && isLate && <p>{t('connection.lost')}</p>}
    </div>
  )
}
