import type { Message } from '@bigtech/client'
import { Download } from 'lucide-react'
import { fetchFile } from '../../core/file-cache.ts'
import { saveAs } from '../../core/save-as.ts'
import { useT } from '../../i18n/index.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { attempt } from '../../ui/notices.tsx'

export type MessageFile = NonNullable<Message['file']>

export interface FileProps {
  readonly message: Message
  readonly file: MessageFile
}

/** Saves a file of a message on the user's device. */
export function SaveButton({ message, file }: FileProps) {
  const t = useT()
  const save = async () => saveAs(await fetchFile(message.message_id, file.file_id, 'original'), file.name)
  return (
    <IconButton label={t('file.save', { name: file.name })} onClick={() => void attempt(save)}>
      <Download size={18} />
    </IconButton>
  )
}
