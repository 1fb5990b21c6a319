import { FileText } from 'lucide-react'
import { sizeOf } from '../../core/sizes.ts'
import { useLanguage, useT } from '../../i18n/index.ts'
import { AudioPlayer } from './audio-player.tsx'
import { Picture } from './picture.tsx'
import { type FileProps, SaveButton } from './save-button.tsx'
import { VideoPlayer } from './video-player.tsx'
import '../../styles/files.css'

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
