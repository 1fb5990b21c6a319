import { X } from 'lucide-react'
import { useChat } from '../core/chat.ts'
import { frameLog, streamState } from '../core/live.ts'
import { lastSend } from '../core/outbox.ts'
import { useStore } from '../core/store.ts'
import { useT } from '../i18n/index.ts'
import { IconButton } from '../ui/icon-button.tsx'
import { Frames } from './frames.tsx'
import { StackControls } from './stack-controls.tsx'
import '../styles/lab.css'

/** The developer drawer: the stream's frames, the last send, and fault injection. */
export default function Lab({ onClose }: { onClose: () => void }) {
  const t = useT()
  return (
    <aside className="lab" aria-label={t('lab.title')}>
      <header>
        <h2>{t('lab.title')}</h2>
        <IconButton label={t('close')} onClick={onClose}>
          <X size={20} />
        </IconButton>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard */}
      <section className="lab-body" tabIndex={0} aria-label={t('lab.title')}>
        <StreamBox />
        <StackControls />
        <LastSend />
        <h3>{t('lab.frames')}</h3>
        <Frames frames={useStore(frameLog)} />
      </section>
    </aside>
  )
}

function StreamBox() {
  const t = useT()
  const { live } = useChat()
  const state = useStore(streamState)
  return (
    <section className="lab-box">
      <h3>{t('lab.stream')}</h3>
      <p>
        <span className="lab-light" data-state={state} aria-hidden="true" /> {t(`lab.state.${state}`)}
      </p>
      <p className="quiet">{t('lab.shared')}</p>
      <button type="button" onClick={() => live.reconnect()}>
        {t('lab.cut')}
      </button>
    </section>
  )
}

/** The steps of this tab's last send, with times relative to pressing Enter. */
function LastSend() {
  const t = useT()
  const trace = useStore(lastSend)
  const frames = useStore(frameLog)
  if (!trace) return null
  const { message, queuedAt } = trace
  const since = (at: number | undefined) => (at === undefined ? '…' : `+${at - queuedAt} ms`)
  const seen = frames.find(
    ({ frame }) =>
      frame.event === 'message' && frame.data.message.client_message_id === trace.clientMessageId,
  )
  const read = frames.find(
    ({ frame }) =>
      message !== undefined &&
      frame.event === 'read' &&
      frame.data.room_id === message.room_id &&
      frame.data.positions.some(({ user_id, seq }) => user_id !== message.user_id && seq >= message.seq),
  )
  return (
    <section className="lab-box">
      <h3>{t('lab.lastSend')}</h3>
      <ol className="lab-trace">
        <li>
          <b>+0 ms</b> {t('lab.trace.queued')} <code>{trace.clientMessageId}</code>
        </li>
        <li>
          <b>{since(trace.sentAt)}</b> {t('lab.trace.sent', { count: trace.attempts })}
        </li>
        <li>
          <b>{since(trace.acknowledgedAt)}</b> {t('lab.trace.stored')}{' '}
          {message && <code>seq {message.seq}</code>} {trace.failure && <code>{trace.failure}</code>}
        </li>
        <li>
          <b>{since(seen?.at)}</b> {t('lab.trace.streamed')}
        </li>
        <li>
          <b>{since(read?.at)}</b> {t('lab.trace.read')}
        </li>
      </ol>
    </section>
  )
}
