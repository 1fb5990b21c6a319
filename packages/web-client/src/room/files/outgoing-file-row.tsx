import { FileText, Film, Mic, X } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useChat } from '../../core/chat.ts'
import type { OutgoingFile, OutgoingMessage } from '../../core/outgoing-message.ts'
import { sizeOf } from '../../core/sizes.ts'
import { useStore } from '../../core/store.ts'
import { uploadProgress } from '../../core/uploads.ts'
import { useLanguage, useT } from '../../i18n/index.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { attempt } from '../../ui/notices.tsx'
import Refusal from '../refusal.tsx'
import '../../styles/files.css'

const icons = { video: Film, voice: Mic, file: FileText, image: FileText } as const

/** An outgoing message with a file: its upload progress and a cancel button. */
export default function OutgoingFileRow({ item, file }: { item: OutgoingMessage; file: OutgoingFile }) {
  const t = useT()
  const language = useLanguage()
  const { outbox } = useChat()
  const picture = useOwnPicture(item.clientMessageId, file)
  const Icon = icons[file.type]
  return (
    <div className="message mine pending" data-refused={item.refusal ? true : undefined} tabIndex={-1}>
      <div className="message-main">
        <div className="message-line">
          <div className="bubble">
            {picture && <img className="outgoing-picture" src={picture} alt="" />}
            <div className="file-line">
              <Icon size={20} aria-hidden="true" />
              <span className="file-text">
                <span className="file-name">{file.type === 'voice' ? t('voice.name') : file.name}</span>
                <span className="file-facts">{sizeOf(file.bytes.size, language)}</span>
              </span>
              {!item.refusal && (
                <IconButton
                  label={t('files.cancel', { name: file.name })}
                  onClick={() => void attempt(() => outbox.cancel(item))}
                >
                  <X size={18} />
                </IconButton>
              )}
            </div>
            {!item.refusal && <Progress item={item} file={file} />}
            {item.content && <p>{item.content}</p>}
          </div>
        </div>
        <Refusal item={item} />
      </div>
    </div>
  )
}

function Progress({ item, file }: { item: OutgoingMessage; file: OutgoingFile }) {
  const t = useT()
  const language = useLanguage()
  const fraction = useStore(uploadProgress).get(item.clientMessageId)
  const isChecking = fraction === 1 || file.isReady
  const isMoving = fraction !== undefined && !isChecking
  return (
    <>
      <progress
        aria-label={t('files.uploading', { name: file.name })}
        max={1}
        {...(isMoving ? { value: fraction } : {})}
      />
      <span className="file-facts">
        {isMoving
          ? fraction.toLocaleString(language, { style: 'percent' })
          : t(isChecking ? 'files.checking' : 'files.waiting')}
      </span>
    </>
  )
}

/** Creates the picture once, because the store returns new objects on every read. */
function useOwnPicture(id: string, { type, bytes }: OutgoingFile): string | undefined {
  const [url, setUrl] = useState<string>()
  useEffect(() => {
    if (type !== 'image') return
    const made = URL.createObjectURL(bytes)
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [id])
  return url
}
