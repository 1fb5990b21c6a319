import type { Message } from '@bigtech/client'
import { Download, FileText } from 'lucide-react'
import { fetchFile } from '../../core/file-cache.ts'
import { saveAs } from '../../core/save-as.ts'
import { sizeOf } from '../../core/sizes.ts'
import { useLanguage, useT } from '../../i18n/index.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { attempt } from '../../ui/notices.tsx'
import { AudioPlayer } from './audio-player.tsx'
import { Picture } from './picture.tsx'
import { VideoPlayer } from './video-player.tsx'
import '../../styles/files.css'

export type MessageFile = NonNullable<Message['file']>

export interface FileProps {
  readonly message: Message
  readonly file: MessageFile
}

/** A picture, a recording, a video or a document of a message. */
export default function FileCard({ message, file }: FileProps) {
  if (file.kind === 'image') return <Picture message={message} file={file} />
  if (file.kind === 'audio') return <AudioPlayer message={message} file={file} />
  if (file.kind === 'video') return <VideoPlayer message={message} file={file} />
  return <DocumentLine message={message} file={file} />
}

function DocumentLine({ message, file }: FileProps) {
  const t = useT()
  const language = useLanguage()
  return (
    <div className="file-line">
      <FileText size={24} aria-hidden="true" />
      <span className="file-text">
        <span className="file-name">{file.name}</span>
        <span className="file-facts">
          {sizeOf(file.size, language)}
          {file.pages !== null && ` · ${t('files.pages', { count: file.pages })}`}
        </span>
      </span>
      <SaveButton message={message} file={file} />
    </div>
  )
}

export function SaveButton({ message, file }: FileProps) {
  const t = useT()
  const save = async () => saveAs(await fetchFile(message.message_id, file.file_id, 'original'), file.name)
  return (
    <IconButton label={t('file.save', { name: file.name })} onClick={() => void attempt(save)}>
      <Download size={18} />
    </IconButton>
  )
}
