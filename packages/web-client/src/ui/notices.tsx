import { useEffect } from 'react'
import { Store, useStore } from '../core/store.ts'
import { explain } from '../core/words.ts'

const SHOWN_MS = 6_000

const notice = new Store<{ text: string; id: number } | undefined>(undefined)
let nextId = 1

/** Shows a message at the bottom of the page for a few seconds, announced by screen readers. */
export function notify(text: string): void {
  notice.set({ text, id: nextId++ })
}

/** Runs an action and reports its failure. Resolves to whether it succeeded. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (err) {
    notify(explain(err))
    return false
  }
}

export function Notices() {
  const shown = useStore(notice)
  useEffect(() => {
    if (!shown) return
    const timer = setTimeout(() => notice.set(undefined), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [shown])
  return (
    <div className="notices" role="status" aria-live="polite">
      {shown && <p key={shown.id}>{shown.text}</p>}
    </div>
  )
}
