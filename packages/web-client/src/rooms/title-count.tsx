import { useEffect } from 'react'
import { useUnreadTotal } from '../core/queries.ts'

/** The number of unread messages in the tab's title and on the icon of the installed app. */
export function TitleCount() {
  const count = useUnreadTotal()
  useEffect(() => {
    document.title = count > 0 ? `(${count}) BigTech Chat` : 'BigTech Chat'
    const badge = count > 0 ? navigator.setAppBadge?.(count) : navigator.clearAppBadge?.()
    badge?.catch(() => undefined)
  }, [count])
  return null
}
