import { Paperclip } from 'lucide-react'
import { useRef } from 'react'
import { useT } from '../i18n/index.ts'
import { IconButton } from '../ui/icon-button.tsx'

/** Lets the user choose files to send. */
export function AttachButton({ onFiles }: { onFiles: (files: readonly File[]) => void }) {
  const t = useT()
  const picker = useRef<HTMLInputElement>(null)
  return (
    <>
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])])
          // The same file can be chosen again.
          event.target.value = ''
        }}
      />
      <IconButton label={t('composer.attach')} onClick={() => picker.current?.click()}>
        <Paperclip size={22} />
      </IconButton>
    </>
  )
}
