import type { ReactNode } from 'react'

/** What a place shows while there is nothing in it, and what to do about that. */
export function Empty({ icon, title, children }: { icon?: ReactNode; title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      {icon}
      <p className="empty-title">{title}</p>
      {children}
    </div>
  )
}
