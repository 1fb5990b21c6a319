import { FileText, Plus, SendHorizontal, X } from 'lucide-react'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { useChat } from '../../core/chat.ts'
import { sizeOf } from '../../core/sizes.ts'
import { useLanguage, useT } from '../../i18n/index.ts'
import { Field } from '../../ui/field.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Modal } from '../../ui/modal.tsx'
import { attempt } from '../../ui/notices.tsx'
import { useOpenRoom, useRoomState } from '../room-context.ts'
import { messageTypeOf } from './message-type-of.ts'
import '../../styles/files.css'

const MAX_BYTES = 100 * 2 ** 20

interface SendFilesDialogProps {
  readonly files: readonly File[]
  readonly onClose: () => void
}

/** Previews chosen, pasted or dropped files before sending, each as a separate message. */
export default function SendFilesDialog({ files, onClose }: SendFilesDialogProps) {
  const t = useT()
  const picker = useRef<HTMLInputElement>(null)
  const [chosen, setChosen] = useState(files)
  const send = useSend()
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const caption = String(new FormData(event.currentTarget).get('caption')).trim()
    void attempt(() => send(chosen, caption))
    onClose()
  }
  return (
    <Modal title={t('files.send', { count: chosen.length })} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <ul className="chosen-files">
          {chosen.map((file, at) => (
            <ChosenFile
              key={`${file.name} ${at}`}
              file={file}
              onRemove={() =>
                chosen.length > 1 ? setChosen(chosen.filter((each) => each !== file)) : onClose()
              }
            />
          ))}
        </ul>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          onChange={(event) => setChosen([...chosen, ...(event.target.files ?? [])])}
        />
        <button type="button" onClick={() => picker.current?.click()}>
          <Plus size={18} aria-hidden="true" /> {t('files.addMore')}
        </button>
        <Field label={t('files.caption')} name="caption" maxLength={10_000} autoComplete="off" />
        <button type="submit" className="primary" disabled={chosen.some((file) => problemOf(file))}>
          <SendHorizontal size={18} aria-hidden="true" /> {t('composer.send')}
        </button>
      </form>
    </Modal>
  )
}

/** Queues the files in order; the first one carries the caption and the reply. */
function useSend() {
  const chat = useChat()
  const { roomId, window, setFocus } = useOpenRoom()
  const { focus } = useRoomState()
  return async (files: readonly File[], caption: string) => {
    const replyTo = focus?.kind === 'reply' ? { replyTo: focus.message.message_id } : {}
    for (const [at, file] of files.entries()) {
      await chat.outbox.add({
        roomId,
        content: at === 0 ? caption : '',
        ...(at === 0 ? replyTo : {}),
        file: { type: messageTypeOf(file.type), name: file.name, mime: file.type, bytes: file },
      })
    }
    setFocus(undefined)
    await window.jumpToNewest()
  }
}

function problemOf({ size }: File): 'files.empty' | 'files.tooLarge' | undefined {
  if (size === 0) return 'files.empty'
  return size > MAX_BYTES ? 'files.tooLarge' : undefined
}

function ChosenFile({ file, onRemove }: { file: File; onRemove: () => void }) {
  const t = useT()
  const language = useLanguage()
  const [url, setUrl] = useState<string>()
  useEffect(() => {
    if (messageTypeOf(file.type) !== 'image') return
    const made = URL.createObjectURL(file)
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [file])
  const problem = problemOf(file)
  return (
    <li className="file-line">
      {url ? <img src={url} alt="" width={48} height={48} /> : <FileText size={24} aria-hidden="true" />}
      <span className="file-text">
        <span className="file-name">{file.name}</span>
        {problem ? (
          <span className="error" role="alert">
            {t(problem)}
          </span>
        ) : (
          <span className="quiet">{sizeOf(file.size, language)}</span>
        )}
      </span>
      <IconButton label={t('files.remove', { name: file.name })} onClick={onRemove}>
        <X size={18} />
      </IconButton>
    </li>
  )
}
