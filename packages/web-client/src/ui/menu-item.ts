import type { ReactNode } from 'react'

export interface MenuItem {
  readonly label: string
  readonly icon?: ReactNode
  readonly isDanger?: boolean
  readonly onSelect: () => void
}

/** Where a menu opens, in pixels of the viewport, and what gets the focus back. */
export interface MenuAnchor {
  readonly x: number
  readonly y: number
  readonly returnTo: HTMLElement | null
}
