import type { Message } from '@bigtech/client'
import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual'
import { ChevronDown } from 'lucide-react'
import { Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { outgoing } from '../core/outbox.ts'
import type { OutgoingMessage } from '../core/outgoing-message.ts'
import type { RoomView } from '../core/room-view.ts'
import { useStore } from '../core/store.ts'
import { useT } from '../i18n/index.ts'
import { lazyWithTexts } from '../i18n/lazy-with-texts.tsx'
import { attempt } from '../ui/notices.tsx'
import type { OpenMenu } from './message-menu.tsx'
import { MessageRow, rowFlags } from './message-row.tsx'
import { OutgoingRow } from './outgoing-row.tsx'
import { useOpenRoom } from './room-context.ts'
import { useLogKeys } from './use-log-keys.ts'
import { useReading } from './use-reading.ts'
import { openingOffset, ROW_HEIGHT, useTarget } from './use-target.ts'

const MessageMenu = lazyWithTexts('pages', () => import('./message-menu.tsx'))

type Log = Virtualizer<HTMLDivElement, Element>

/** Distance from the end in pixels within which a new message scrolls the log. */
const AT_END = 80
const PAGE_BEFORE = 12

/** The history, virtualized: only rows near the viewport are in the document. */
export function MessageLog({ view }: { view: RoomView }) {
  const t = useT()
  const { roomId, ownId, window } = useOpenRoom()
  const scroller = useRef<HTMLDivElement>(null)
  const [menu, setMenu] = useState<OpenMenu>()
  const [wasMenuOpen, setMenuOpen] = useState(false)
  const openMenu = useCallback((opened: OpenMenu) => {
    setMenuOpen(true)
    setMenu(opened)
  }, [])
  const pending = usePending(view)
  const { messages } = view
  const log = useVirtualizer<HTMLDivElement, Element>({
    count: messages.length + pending.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    initialOffset: () => openingOffset(view),
    getItemKey: (index) => rowKey(messages[index], pending[index - messages.length], ownId),
    overscan: 10,
    anchorTo: 'end',
    followOnAppend: !view.hasNewer,
    scrollEndThreshold: AT_END,
    paddingStart: 12,
    paddingEnd: 12,
  })
  const { highlighted, staysAtEnd } = useTarget(view, log, scroller)
  usePaging(view, log)
  usePlace(view, log)
  const lastVisible = useReading(view, log)
  const onKeyDown = useLogKeys(log, scroller)
  const isAtEnd = !view.hasNewer && (staysAtEnd || log.isAtEnd(AT_END))
  return (
    <div className="log-frame">
      <div className="log-stale" role="status">
        {view.isStale && <p>{t('room.stale')}</p>}
      </div>
      <div
        ref={scroller}
        className="log"
        role="log"
        aria-label={t('room.history')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <div className="log-rows" style={{ height: log.getTotalSize() }}>
          {log.getVirtualItems().map(({ key, index, start }) => {
            const message = messages[index]
            const item = pending[index - messages.length]
            return (
              <div
                key={key}
                ref={log.measureElement}
                data-index={index}
                className="log-row"
                style={{ transform: `translateY(${start}px)` }}
              >
                {message && (
                  <MessageRow
                    message={message}
                    {...rowFlags(messages, index, view.unreadFrom)}
                    isHighlighted={highlighted === message.seq}
                    onMenu={openMenu}
                  />
                )}
                {!message && item && <OutgoingRow item={item} />}
              </div>
            )
          })}
        </div>
      </div>
      {!isAtEnd && messages.length > 0 && (
        <JumpButton count={Math.max(0, window.headSeq - Math.max(lastVisible, window.ownSeq))} />
      )}
      {wasMenuOpen && (
        <Suspense>
          <MessageMenu key={roomId} menu={menu} onClose={() => setMenu(undefined)} />
        </Suspense>
      )}
    </div>
  )
}

/** Returns the key of a row: the client_message_id, so that a message keeps its row when acknowledged. */
function rowKey(message: Message | undefined, item: OutgoingMessage | undefined, ownId: number): string {
  if (item) return `${ownId}:${item.clientMessageId}`
  if (message?.client_message_id) return `${message.user_id}:${message.client_message_id}`
  return String(message?.seq)
}

/** Returns unacknowledged messages of this room not yet in the history. */
function usePending(view: RoomView) {
  const { roomId: ownRoomId } = useOpenRoom()
  const all = useStore(outgoing)
  return useMemo(() => {
    const mine = all.filter(({ roomId }) => roomId === ownRoomId)
    if (mine.length === 0) return mine
    const stored = new Set(view.messages.slice(-100).map(({ client_message_id }) => client_message_id))
    return mine.filter(({ clientMessageId }) => !stored.has(clientMessageId))
  }, [all, ownRoomId, view.messages])
}

/** Fetches more when the user scrolls near either end of the loaded part. */
function usePaging(view: RoomView, log: Log): void {
  const { window } = useOpenRoom()
  const items = log.getVirtualItems()
  const first = items[0]?.index ?? 0
  const last = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (items.length === 0) return
    if (first < PAGE_BEFORE && view.hasOlder) void window.loadOlder()
    if (last > view.messages.length - PAGE_BEFORE && view.hasNewer) void window.loadNewer()
  }, [first, last, items.length, view.hasOlder, view.hasNewer, view.messages.length, window])
}

/** Reports the visible position to the window, for reloading after a gap in the stream. */
function usePlace({ messages }: RoomView, log: Log): void {
  const { window } = useOpenRoom()
  const { range } = log
  const middle = range ? messages[Math.floor((range.startIndex + range.endIndex) / 2)]?.seq : undefined
  useEffect(() => {
    if (middle !== undefined) window.lookAt(middle)
  }, [middle, window])
}

function JumpButton({ count }: { count: number }) {
  const t = useT()
  const { window } = useOpenRoom()
  return (
    <button type="button" className="jump" onClick={() => void attempt(() => window.jumpToNewest())}>
      <ChevronDown size={20} aria-hidden="true" />
      {count > 0 ? (
        t('room.newMessages', { count })
      ) : (
        <span className="visually-hidden">{t('room.toEnd')}</span>
      )}
    </button>
  )
}
