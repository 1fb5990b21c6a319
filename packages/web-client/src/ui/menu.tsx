import { lazy, type ReactNode, Suspense } from 'react'
import type { MenuAnchor, MenuItem } from './menu-item.ts'

const PointMenu = lazy(() => import('./point-menu.tsx'))

/** Returns an anchor at the pointer, or below the button when the keyboard opened the menu. */
export function anchorOf(event: { clientX?: number; clientY?: number; currentTarget: Element }): MenuAnchor {
  const box = event.currentTarget.getBoundingClientRect()
  const returnTo = document.activeElement instanceof HTMLElement ? document.activeElement : null
  const isPointer = Boolean(event.clientX || event.clientY)
  return isPointer
    ? { x: event.clientX ?? 0, y: event.clientY ?? 0, returnTo }
    : { x: box.left, y: box.bottom, returnTo }
}

interface MenuProps {
  readonly label: string
  readonly anchor: MenuAnchor | undefined
  readonly items: readonly MenuItem[]
  readonly header?: ReactNode
  readonly onClose: () => void
}

/** A menu at a point. Its code is loaded on first use. */
export function Menu({ anchor, ...menu }: MenuProps) {
  if (!anchor) return null
  return (
    <Suspense>
      <PointMenu anchor={anchor} {...menu} />
    </Suspense>
  )
}
