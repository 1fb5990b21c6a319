import type { Message } from '@bigtech/client'
import { type ReactNode, Suspense } from 'react'
import { useT } from '../i18n/index.ts'
import { lazyWithTexts } from '../i18n/lazy-with-texts.tsx'
import { useNameOf, useOpenRoom } from './room-context.ts'

const FileCard = lazyWithTexts('files', () => import('./files/file-card.tsx'))

/** The content of a message. Text is inserted as text, never as markup. */
export function MessageBody({ message }: { message: Message }) {
  const t = useT()
  const { ownId } = useOpenRoom()
  const nameOf = useNameOf()
  if (message.is_deleted) return <p>{t('message.deleted')}</p>
  const names = message.mentions.map((id) => ({ name: `@${nameOf(id)}`, isMe: id === ownId }))
  return (
    <>
      {message.attachment && (
        <a href={message.attachment.url} target="_blank" rel="noreferrer noopener">
          {message.attachment.name}
        </a>
      )}
      {message.file && (
        <Suspense fallback={<p>{message.file.name}</p>}>
          <FileCard message={message} file={message.file} />
        </Suspense>
      )}
      {message.content && (
        <p className={isOnlyEmoji(message.content) ? 'big-emoji' : undefined}>
          {rich(message.content, names)}
        </p>
      )}
    </>
  )
}

const link = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g

/** Highlights addresses and mentions in a text. */
function rich(text: string, names: readonly { name: string; isMe: boolean }[]): ReactNode[] {
  const parts: ReactNode[] = []
  let from = 0
  for (const match of text.matchAll(link)) {
    parts.push(...withMentions(text.slice(from, match.index), names, from))
    parts.push(
      <a key={match.index} href={match[0]} target="_blank" rel="noreferrer noopener">
        {match[0]}
      </a>,
    )
    from = match.index + match[0].length
  }
  parts.push(...withMentions(text.slice(from), names, from))
  return parts
}

function withMentions(
  text: string,
  names: readonly { name: string; isMe: boolean }[],
  offset: number,
): ReactNode[] {
  const first = names
    .map((each) => ({ ...each, at: text.indexOf(each.name) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at || b.name.length - a.name.length)[0]
  if (!first) return text ? [text] : []
  const end = first.at + first.name.length
  return [
    text.slice(0, first.at),
    <mark key={`m${offset + first.at}`} className={first.isMe ? 'mention me' : 'mention'}>
      {first.name}
    </mark>,
    ...withMentions(text.slice(end), names, offset + end),
  ]
}

function isOnlyEmoji(text: string): boolean {
  return text.length <= 24 && /^(?:\p{RGI_Emoji}){1,3}$/v.test(text.trim())
}
