import { SendHorizontal, Trash2 } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useChat } from '../../core/chat.ts'
import { clockOf } from '../../core/clock-of.ts'
import { Recording } from '../../core/recording.ts'
import { useT } from '../../i18n/index.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { attempt, notify } from '../../ui/notices.tsx'
import { useOpenRoom } from '../room-context.ts'
import '../../styles/files.css'

const LEVELS = 40

/** Replaces the composer while a voice message is recorded. */
export default function VoiceRecorder({ onClose }: { onClose: () => void }) {
  const t = useT()
  const chat = useChat()
  const { roomId, window } = useOpenRoom()
  const { recording, seconds, levels } = useRecording(onClose)
  const send = async () => {
    const sound = await recording?.stop()
    onClose()
    if (!sound) return
    await attempt(async () => {
      await chat.outbox.add({ roomId, content: '', file: { type: 'voice', ...sound } })
      await window.jumpToNewest()
    })
  }
  return (
    <div className="composer">
      <section className="composer-row recorder" aria-label={t('voice.recording')}>
        <IconButton label={t('voice.cancel')} onClick={onClose}>
          <Trash2 size={20} />
        </IconButton>
        <span className="recorder-dot" aria-hidden="true" />
        <span role="timer">{clockOf(seconds)}</span>
        <svg
          className="waveform"
          viewBox={`0 0 ${LEVELS * 3} 100`}
          preserveAspectRatio="none"
          aria-hidden="true"
        >
          <path
            className="played"
            d={levels.map((level, at) => `M${at * 3 + 1} ${50 - level / 2}v${level}`).join('')}
          />
        </svg>
        <button
          type="button"
          className="send"
          aria-label={t('voice.send')}
          disabled={!recording}
          onClick={() => void send()}
        >
          <SendHorizontal size={20} />
        </button>
      </section>
    </div>
  )
}

/** Records immediately; an unsent recording is discarded. */
function useRecording(onClose: () => void) {
  const t = useT()
  const [recording, setRecording] = useState<Recording>()
  const [seconds, setSeconds] = useState(0)
  const [levels, setLevels] = useState<readonly number[]>([])
  const close = useRef(onClose)
  useEffect(() => {
    let opened: Recording | undefined
    let isOver = false
    const onLevel = (level: number, elapsed: number) => {
      setSeconds(elapsed)
      setLevels((before) => [...before, level].slice(-LEVELS))
    }
    Recording.start(onLevel).then(
      (started) => {
        opened = started
        if (isOver) started.discard()
        else setRecording(started)
      },
      (err: unknown) => {
        notify(
          t(err instanceof DOMException && err.name === 'NotAllowedError' ? 'voice.denied' : 'voice.missing'),
        )
        close.current()
      },
    )
    return () => {
      isOver = true
      opened?.discard()
    }
  }, [t])
  return { recording, seconds, levels }
}
