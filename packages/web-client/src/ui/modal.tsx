import { X } from 'lucide-react'
import { Dialog } from 'radix-ui'
import type { ReactNode } from 'react'
import { useT } from '../i18n/index.ts'
import { IconButton } from './icon-button.tsx'
import '../styles/overlays.css'

interface ModalProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ReactNode
}

/**
 * A dialog over the page. Without `Dialog.Overlay`, which would inject a `<style>` element to lock
 * scrolling: the content security policy forbids it, and the page itself does not scroll.
 */
export function Modal({ title, onClose, children }: ModalProps) {
  const t = useT()
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Dialog.Portal>
        <div className="modal-backdrop" />
        <Dialog.Content className="modal" aria-describedby={undefined}>
          <header>
            <Dialog.Title>{title}</Dialog.Title>
            <Dialog.Close asChild>
              <IconButton label={t('close')}>
                <X size={20} />
              </IconButton>
            </Dialog.Close>
          </header>
          <div className="modal-body">{children}</div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
