import type { ReactNode } from 'react'

export interface MenuItem {
  readonly label: string
  readonly icon?: ReactNode
  readonly isDanger?: boolean
  readonly onSelect: () => void
}

/** The position of a menu in viewport pixels, and the element to refocus. */
export interface MenuAnchor {
  readonly x: number
  readonly y: number
  readonly returnTo: HTMLElement | null
}
