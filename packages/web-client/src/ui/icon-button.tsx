import type { ButtonHTMLAttributes, ReactNode } from 'react'

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly label: string
  readonly children: ReactNode
}

/** A button with an icon; its label is the accessible name and the tooltip. */
export function IconButton({ label, children, className = '', ...button }: IconButtonProps) {
  return (
    <button type="button" className={`icon-button ${className}`} aria-label={label} title={label} {...button}>
      {children}
    </button>
  )
}
