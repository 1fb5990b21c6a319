import { Pause, Play } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { clockOf } from '../../core/clock-of.ts'
import { fetchFile } from '../../core/file-cache.ts'
import { useT } from '../../i18n/index.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { attempt } from '../../ui/notices.tsx'
import { type FileProps, SaveButton } from './save-button.tsx'
import { Waveform } from './waveform.tsx'

/** The playing recording: starting a second one stops the first. */
let playing: HTMLAudioElement | undefined

/** A voice message or another recording, with a waveform that shows and sets the position. */
export function AudioPlayer({ message, file }: FileProps) {
  const t = useT()
  const { audio, isPlaying, seconds, toggle, seek } = usePlayback(message.message_id, file.file_id)
  const duration = (file.duration_ms ?? 0) / 1_000 || audio?.duration || 0
  const name = message.message_type === 'voice' ? t('voice.name') : file.name
  return (
    <div className="audio">
      <IconButton
        className="audio-toggle"
        label={isPlaying ? t('audio.pause') : t('audio.play', { name })}
        onClick={toggle}
      >
        {isPlaying ? <Pause size={20} /> : <Play size={20} />}
      </IconButton>
      <span className="audio-track">
        {message.message_type !== 'voice' && <span className="file-name">{file.name}</span>}
        <span className="audio-position">
          <Waveform peaks={file.waveform} played={duration ? seconds / duration : 0} />
          <input
            type="range"
            min={0}
            max={Math.max(1, duration)}
            step={0.1}
            value={seconds}
            aria-label={t('audio.seek', { name })}
            aria-valuetext={clockOf(seconds)}
            onChange={(event) => seek(Number(event.target.value))}
          />
        </span>
        <span className="file-facts">{clockOf(isPlaying || seconds > 0 ? seconds : duration)}</span>
      </span>
      <SaveButton message={message} file={file} />
    </div>
  )
}

/** Fetches the recording on first play. */
function usePlayback(messageId: string, fileId: string) {
  const audio = useRef<HTMLAudioElement>(undefined)
  const [isPlaying, setPlaying] = useState(false)
  const [seconds, setSeconds] = useState(0)
  const load = async (): Promise<HTMLAudioElement> => {
    const url = URL.createObjectURL(await fetchFile(messageId, fileId, 'original'))
    const made = new Audio(url)
    made.addEventListener('play', () => setPlaying(true))
    made.addEventListener('pause', () => setPlaying(false))
    made.addEventListener('timeupdate', () => setSeconds(made.ended ? 0 : made.currentTime))
    audio.current = made
    return made
  }
  useEffect(
    () => () => {
      audio.current?.pause()
      if (audio.current) URL.revokeObjectURL(audio.current.src)
    },
    [],
  )
  const toggle = () =>
    void attempt(async () => {
      const loaded = audio.current ?? (await load())
      if (!loaded.paused) return loaded.pause()
      playing?.pause()
      playing = loaded
      if (!loaded.currentTime && seconds) loaded.currentTime = seconds
      await loaded.play()
    })
  const seek = (to: number) => {
    setSeconds(to)
    if (audio.current) audio.current.currentTime = to
  }
  return { audio: audio.current, isPlaying, seconds, toggle, seek }
}
