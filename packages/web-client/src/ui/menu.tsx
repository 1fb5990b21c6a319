import { DropdownMenu } from 'radix-ui'
import type { ReactNode } from 'react'
import { createPortal } from 'react-dom'
import type { MenuAnchor, MenuItem } from './menu-item.ts'
import '../styles/overlays.css'

interface MenuProps {
  readonly label: string
  readonly anchor: MenuAnchor
  readonly items: readonly MenuItem[]
  readonly header?: ReactNode
  readonly onClose: () => void
}

/** A menu at a point. Not modal: Radix would inject a `<style>` element to lock scrolling, which the content security policy forbids. */
export function Menu({ label, anchor, items, header, onClose }: MenuProps) {
  return (
    <DropdownMenu.Root open modal={false} onOpenChange={(isOpen) => !isOpen && onClose()}>
      {createPortal(
        // Outside of the row: a transformed ancestor would move what is fixed to the viewport.
        <DropdownMenu.Trigger asChild>
          <span className="menu-anchor" style={{ left: anchor.x, top: anchor.y }} aria-hidden="true" />
        </DropdownMenu.Trigger>,
        document.body,
      )}
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          className="menu"
          aria-label={label}
          aria-labelledby={undefined}
          align="start"
          collisionPadding={8}
          loop
          onCloseAutoFocus={(event) => {
            event.preventDefault()
            anchor.returnTo?.focus()
          }}
        >
          {header}
          {items.map((item) => (
            <DropdownMenu.Item
              key={item.label}
              className={item.isDanger ? 'menu-item danger' : 'menu-item'}
              onSelect={item.onSelect}
            >
              {item.icon}
              {item.label}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}
