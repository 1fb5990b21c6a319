import type { Message } from '@bigtech/client'
import { dateAndTime } from '../core/times.ts'
import { useLanguage } from '../i18n/index.ts'

interface FoundMessageProps {
  readonly message: Message
  /** Words to highlight. */
  readonly query?: string
  /** The author, or the room of a result from all rooms. */
  readonly heading: string
  readonly onOpen: () => void
}

/** A search result; selecting it opens its position in the history. */
export function FoundMessage({ message, query = '', heading, onOpen }: FoundMessageProps) {
  const language = useLanguage()
  return (
    <button type="button" className="found-message" onClick={onOpen}>
      <span className="found-head">
        <strong>{heading}</strong>
        <time dateTime={message.created_at}>{dateAndTime(message.created_at, language)}</time>
      </span>
      <span className="found-text">{marked(message.content, query)}</span>
    </button>
  )
}

const BEFORE = 30

/** Returns the text from shortly before the first match, with the match highlighted. */
function marked(text: string, query: string) {
  const word = query.trim().split(/\s+/)[0]?.toLowerCase() ?? ''
  const at = word ? text.toLowerCase().indexOf(word) : -1
  if (at < 0) return text
  const from = Math.max(0, at - BEFORE)
  return (
    <>
      {from > 0 && '…'}
      {text.slice(from, at)}
      <mark>{text.slice(at, at + word.length)}</mark>
      {text.slice(at + word.length)}
    </>
  )
}
