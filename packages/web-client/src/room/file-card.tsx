import { getFileContent, type Message, problemOf } from '@bigtech/client'
import { Download, FileText, Film, Image, Mic } from 'lucide-react'
import { http, session } from '../core/api.ts'
import { saveAs } from '../core/save-as.ts'
import { sizeOf } from '../core/sizes.ts'
import { useLanguage, useT } from '../i18n/index.ts'
import { IconButton } from '../ui/icon-button.tsx'
import { attempt } from '../ui/notices.tsx'

type MessageFile = NonNullable<Message['file']>

const icons = { image: Image, video: Film, audio: Mic, document: FileText } as const

/** A picture, a recording or a document of a message: its miniature, name and size, and a way to save it. */
export function FileCard({ message, file }: { message: Message; file: MessageFile }) {
  const t = useT()
  const language = useLanguage()
  const Icon = icons[file.kind]
  return (
    <div className="file-card">
      {file.preview && (
        <img
          src={file.preview}
          alt=""
          width={file.width ?? undefined}
          height={file.height ?? undefined}
          loading="lazy"
        />
      )}
      <div className="file-line">
        <Icon size={20} aria-hidden="true" />
        <span className="file-name">{file.name}</span>
        <span className="quiet">{sizeOf(file.size, language)}</span>
        <IconButton
          label={t('file.save', { name: file.name })}
          onClick={() => void attempt(() => save(message, file))}
        >
          <Download size={18} />
        </IconButton>
      </div>
    </div>
  )
}

/** With the token in a header: an address that works without one would end up in the browser's history. */
async function save({ message_id }: Message, { file_id, name }: MessageFile): Promise<void> {
  const path = getFileContent.path.replace(':file_id', file_id)
  const response = await http.fetch(`${http.baseUrl}${path}?message_id=${encodeURIComponent(message_id)}`, {
    headers: { authorization: `Bearer ${await session.token()}` },
  })
  if (!response.ok) throw await problemOf(response)
  saveAs(await response.blob(), name)
}
