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

/** Returns an anchor at the pointer, or below the button when the keyboard opened the menu. */
export function anchorOf(event: { clientX?: number; clientY?: number; currentTarget: Element }): MenuAnchor {
  const box = event.currentTarget.getBoundingClientRect()
  const returnTo = document.activeElement instanceof HTMLElement ? document.activeElement : null
  const isPointer = Boolean(event.clientX || event.clientY)
  return isPointer
    ? { x: event.clientX ?? 0, y: event.clientY ?? 0, returnTo }
    : { x: box.left, y: box.bottom, returnTo }
}
