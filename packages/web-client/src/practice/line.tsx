import { type AnswerOf, addBookmark, getPracticeClip, type getScript, removeBookmark } from '@bigtech/client'
import { Bookmark, Mic, Volume2 } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { call } from '../core/api.ts'
import { useChat } from '../core/chat.ts'
import { useT } from '../i18n/index.ts'
import { IconButton } from '../ui/icon-button.tsx'
import { attempt } from '../ui/notices.tsx'
import { Attempt } from './attempt.tsx'

export type Token = AnswerOf<typeof getScript>['tokens'][number]

/** One line of a script: who says it, how it sounds, and an attempt of one's own. */
export function Line({ token }: { token: Token }) {
  const t = useT()
  const [attempts, setAttempts] = useState(0)
  const listen = useClip(token.token_id)
  const { text } = token
  return (
    <li className="practice-line">
      <div className="practice-line-head">
        <span className="person-text">
          <span className="quiet">{token.actor.name}</span>
          <span className="practice-text">{text}</span>
        </span>
        <IconButton label={t('practice.listen', { text })} onClick={listen}>
          <Volume2 size={20} />
        </IconButton>
        <BookmarkButton token={token} />
      </div>
      {attempts > 0 ? (
        <Attempt key={attempts} tokenId={token.token_id} onAgain={() => setAttempts(attempts + 1)} />
      ) : (
        <button type="button" aria-label={t('practice.record', { text })} onClick={() => setAttempts(1)}>
          <Mic size={18} aria-hidden="true" /> {t('practice.recordShort')}
        </button>
      )}
    </li>
  )
}

export function BookmarkButton({ token }: { token: Token }) {
  const t = useT()
  const chat = useChat()
  const toggle = () =>
    void attempt(async () => {
      await call(token.bookmarked ? removeBookmark : addBookmark, { params: { token_id: token.token_id } })
      await Promise.all(
        [['script', token.script_id], ['bookmarks'], ['practice-overview']].map((queryKey) =>
          chat.queries.invalidateQueries({ queryKey }),
        ),
      )
    })
  return (
    <IconButton
      label={t('practice.bookmark', { text: token.text })}
      aria-pressed={token.bookmarked}
      onClick={toggle}
    >
      <Bookmark size={20} fill={token.bookmarked ? 'currentcolor' : 'none'} />
    </IconButton>
  )
}

/** Returns what plays the reference clip of a line; it is fetched once. */
function useClip(token_id: number): () => void {
  const audio = useRef<HTMLAudioElement>(undefined)
  useEffect(
    () => () => {
      audio.current?.pause()
      if (audio.current) URL.revokeObjectURL(audio.current.src)
    },
    [],
  )
  return () =>
    void attempt(async () => {
      if (!audio.current) {
        const clip = await call(getPracticeClip, { params: { token_id } })
        audio.current = new Audio(URL.createObjectURL(await clip.blob()))
      }
      audio.current.currentTime = 0
      await audio.current.play()
    })
}
