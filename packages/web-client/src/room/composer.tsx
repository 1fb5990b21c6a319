import { editMessage } from '@bigtech/client'
import { Mic, SendHorizontal, Smile, X } from 'lucide-react'
import {
  type ClipboardEvent,
  type KeyboardEvent,
  Suspense,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import { call } from '../core/api.ts'
import { useChat } from '../core/chat.ts'
import { draftOf, keepDraft } from '../core/drafts.ts'
import { useT } from '../i18n/index.ts'
import { lazyWithTexts } from '../i18n/lazy-with-texts.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { isTouch } from '../ui/is-touch.ts'
import { attempt } from '../ui/notices.tsx'
import { AttachButton } from './attach-button.tsx'
import { MentionList, mentionedIn, useMentions } from './mentions.tsx'
import { useNameOf, useOpenRoom, useRoomState } from './room-context.ts'
import { useTypingSignal } from './use-typing-signal.ts'

const EmojiPopover = lazyWithTexts('pages', () => import('./emoji-popover.tsx'))
const VoiceRecorder = lazyWithTexts('files', () => import('./files/voice-recorder.tsx'))

/** Writes a message, a reply, or an edit. */
export function Composer() {
  const t = useT()
  const field = useRef<HTMLTextAreaElement>(null)
  const { text, write, submit, cancel } = useComposition(field)
  const mentions = useMentions(field, text, write)
  const editLast = useEditLast()
  const { sendFiles } = useOpenRoom()
  const isEdit = useRoomState().focus?.kind === 'edit'
  const [isRecording, setRecording] = useState(false)
  const onPaste = (event: ClipboardEvent<HTMLTextAreaElement>) => {
    const files = [...event.clipboardData.files]
    // Text copied from an office program includes an image of itself.
    if (isEdit || files.length === 0 || event.clipboardData.types.includes('text/plain')) return
    event.preventDefault()
    sendFiles(files)
  }
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // Enter that ends a composition (Hangul, kana) belongs to the input method; Safari reports it as key code
    // 229.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return
    if (mentions.onKeyDown(event)) return
    // On a touch keyboard Enter inserts a line break, and the button sends.
    if (event.key === 'Enter' && !event.shiftKey && !isTouch) {
      event.preventDefault()
      submit()
    }
    if (event.key === 'Escape') cancel()
    if (event.key === 'ArrowUp' && text === '' && editLast()) event.preventDefault()
  }
  if (isRecording) {
    return (
      <Suspense fallback={<div className="composer" />}>
        <VoiceRecorder onClose={() => setRecording(false)} />
      </Suspense>
    )
  }
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <FocusBar onCancel={cancel} />
      <MentionList {...mentions} />
      <div className="composer-row">
        {!isEdit && <AttachButton onFiles={sendFiles} />}
        <EmojiButton onPick={(emoji) => insert(field.current, emoji, write)} />
        <textarea
          ref={field}
          name="content"
          rows={1}
          value={text}
          placeholder={t('composer.placeholder')}
          aria-label={t('composer.placeholder')}
          aria-describedby="composer-hint"
          onChange={(event) => write(event.target.value)}
          onKeyDown={onKeyDown}
          onSelect={mentions.onSelect}
          onPaste={onPaste}
        />
        <span id="composer-hint" className="visually-hidden">
          {t(isTouch ? 'composer.hintTouch' : 'composer.hint')}
        </span>
        {!isEdit && text === '' && (
          <IconButton label={t('composer.record')} onClick={() => setRecording(true)}>
            <Mic size={22} />
          </IconButton>
        )}
        <button type="submit" className="send" aria-label={t('composer.send')} disabled={text.trim() === ''}>
          <SendHorizontal size={20} />
        </button>
      </div>
    </form>
  )
}

/** Returns the text, which is kept as a draft, and the send action. */
function useComposition(field: React.RefObject<HTMLTextAreaElement | null>) {
  const chat = useChat()
  const { roomId, window, members, setFocus } = useOpenRoom()
  const { focus } = useRoomState()
  const nameOf = useNameOf()
  const isEdit = focus?.kind === 'edit'
  const [text, setText] = useState(() => (isEdit ? focus.message.content : draftOf(chat.userId, roomId)))
  const sayTyping = useTypingSignal(roomId)
  useAutoSize(field, text)
  useEffect(() => {
    if (!isTouch || focus) field.current?.focus()
  }, [field, focus])
  const write = (next: string) => {
    setText(next)
    if (isEdit) return
    keepDraft(chat.userId, roomId, next)
    if (next.trim()) sayTyping()
  }
  const submit = () => {
    const content = text.trimEnd()
    if (content === '') return
    const mentions = mentionedIn(content, members ?? [], nameOf)
    if (isEdit) {
      const params = { room_id: roomId, message_id: focus.message.message_id }
      void attempt(async () => {
        window.take(await call(editMessage, { params, body: { content, mentions } }))
        setFocus(undefined)
      })
      return
    }
    const replyTo = focus ? { replyTo: focus.message.message_id } : {}
    setText('')
    setFocus(undefined)
    void attempt(async () => {
      await chat.outbox.add({ roomId, content, mentions, ...replyTo })
      // Only now: until the message is in the outbox, the draft is its only copy.
      keepDraft(chat.userId, roomId, '')
      await window.jumpToNewest()
    })
  }
  return { text, write, submit, cancel: () => setFocus(undefined) }
}

/** Grows with its text up to the maximum of the style sheet. */
function useAutoSize(field: React.RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const area = field.current
    const row = area?.parentElement
    if (!area || !row) return
    // Keeps the height of the log while the field is measured, or the log would lose its scroll position.
    row.style.minHeight = `${row.offsetHeight}px`
    area.style.height = 'auto'
    area.style.height = `${area.scrollHeight}px`
    row.style.minHeight = ''
  }, [field, text])
}

/** Starts editing the user's last message, if still editable. */
function useEditLast(): () => boolean {
  const { window, ownId, setFocus } = useOpenRoom()
  return () => {
    const last = window.view
      .get()
      .messages.findLast((message) => message.user_id === ownId && !message.is_deleted)
    if (last?.message_type !== 'text') return false
    setFocus({ kind: 'edit', message: last })
    return true
  }
}

function FocusBar({ onCancel }: { onCancel: () => void }) {
  const t = useT()
  const nameOf = useNameOf()
  const { focus } = useRoomState()
  if (!focus) return null
  const { kind, message } = focus
  const title =
    kind === 'edit'
      ? t('composer.editing')
      : t('composer.replying', { name: nameOf(message.user_id, message.username) })
  return (
    <div className="focus-bar">
      <div>
        <strong>{title}</strong>
        <p>{message.content}</p>
      </div>
      <IconButton label={t('cancel')} onClick={onCancel}>
        <X size={18} />
      </IconButton>
    </div>
  )
}

function EmojiButton({ onPick }: { onPick: (emoji: string) => void }) {
  const t = useT()
  const [isOpen, setOpen] = useState(false)
  return (
    <span className="emoji-button">
      <IconButton label={t('emoji.title')} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <Smile size={22} />
      </IconButton>
      {isOpen && (
        <Suspense>
          <EmojiPopover onPick={onPick} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </span>
  )
}

/** Inserts text at the cursor. */
function insert(area: HTMLTextAreaElement | null, addition: string, write: (text: string) => void): void {
  if (!area) return
  const { selectionStart, selectionEnd, value } = area
  write(value.slice(0, selectionStart) + addition + value.slice(selectionEnd))
  const at = selectionStart + addition.length
  requestAnimationFrame(() => {
    area.focus()
    area.setSelectionRange(at, at)
  })
}
