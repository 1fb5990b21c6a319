import { Suspense, useEffect, useMemo, useState } from 'react'
import { useSearchParams } from 'wouter'
import { useChat } from '../core/chat.ts'
import { useMembers, useRoom } from '../core/queries.ts'
import type { RoomWindow } from '../core/room-window.ts'
import { useStore } from '../core/store.ts'
import { useT } from '../i18n/index.ts'
import { lazyWithTexts } from '../i18n/lazy-with-texts.tsx'
import { BackLink } from '../ui/back-link.tsx'
import { Failed } from '../ui/failed.tsx'
import { attempt } from '../ui/notices.tsx'
import { Spinner } from '../ui/spinner.tsx'
import { Composer } from './composer.tsx'
import { useFileDrop } from './files/use-file-drop.ts'
import { writingRefusal } from './may-write.ts'
import { MessageLog } from './message-log.tsx'
import { PinBar } from './pin-bar.tsx'
import { RoomContext, type RoomFocus, RoomStateContext } from './room-context.ts'
import { RoomHeader } from './room-header.tsx'
import { TypingLine } from './typing-line.tsx'
import '../styles/room.css'

const RoomPanel = lazyWithTexts('pages', () => import('./room-panel.tsx'))
const SendFilesDialog = lazyWithTexts('files', () => import('./files/send-files-dialog.tsx'))

/** A room: its history, outgoing messages and composer, and the panel named in the address. */
export function RoomPage({ roomId, panel }: { roomId: number; panel: string | undefined }) {
  const chat = useChat()
  const { room, error, retry } = useRoom(roomId)
  const members = useMembers(roomId).data
  const [focus, setFocus] = useState<RoomFocus>()
  const [files, sendFiles] = useState<readonly File[]>()
  const window = useWindow(roomId)
  const context = useMemo(() => {
    const memberById = new Map(members?.map((member) => [member.user_id, member]))
    return window && { roomId, window, members, memberById, ownId: chat.userId, setFocus, sendFiles }
  }, [roomId, window, members, chat.userId])
  const state = useMemo(() => (room ? { room, focus } : undefined), [room, focus])
  const t = useT()
  const refusal = room && writingRefusal(room, Date.now())
  const drop = useFileDrop(refusal ? undefined : sendFiles)
  if (error) {
    return (
      <section>
        <header className="room-header">
          <BackLink to="/rooms" />
        </header>
        <Failed error={error} onRetry={retry} />
      </section>
    )
  }
  if (!context || !state) return <Spinner />
  return (
    <RoomContext value={context}>
      <RoomStateContext value={state}>
        <div className="room" data-panel={panel ? true : undefined}>
          <section className="room-main" aria-label={state.room.title} {...drop.props}>
            <RoomHeader />
            <PinBar />
            <Log window={context.window} />
            <TypingLine />
            {refusal ? (
              <p className="no-composer">{t(refusal)}</p>
            ) : (
              <Composer key={focus?.kind === 'edit' ? focus.message.message_id : 'new'} />
            )}
            {drop.isOver && <p className="drop-hint">{t('composer.drop')}</p>}
          </section>
          {files && (
            <Suspense>
              <SendFilesDialog files={files} onClose={() => sendFiles(undefined)} />
            </Suspense>
          )}
          {panel && (
            <Suspense fallback={<Spinner />}>
              <RoomPanel panel={panel} />
            </Suspense>
          )}
        </div>
      </RoomStateContext>
    </RoomContext>
  )
}

/** Opens the room's window at the message of `?at=`. */
function useWindow(roomId: number): RoomWindow | undefined {
  const chat = useChat()
  const [query, setQuery] = useSearchParams()
  const [window, setWindow] = useState<RoomWindow>()
  const at = Number(query.get('at')) || undefined
  useEffect(() => {
    const isKnown = chat.windows.get(roomId) !== undefined
    const opened = chat.windows.open(roomId, at)
    setWindow(opened)
    if (at === undefined) return
    if (isKnown) void attempt(() => opened.jumpTo(at))
    setQuery({}, { replace: true })
  }, [chat, roomId, at])
  return window
}

function Log({ window }: { window: RoomWindow }) {
  const view = useStore(window.view)
  if (view.status === 'loading')
    return (
      <div className="log-placeholder">
        <Spinner />
      </div>
    )
  if (view.status === 'failed') return <Failed error={view.failure} onRetry={() => window.reload()} />
  return <MessageLog view={view} />
}
