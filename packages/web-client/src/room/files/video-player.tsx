import { Play } from 'lucide-react'
import { useEffect, useState } from 'react'
import { clockOf } from '../../core/clock-of.ts'
import { fetchFile } from '../../core/file-cache.ts'
import { sizeOf } from '../../core/sizes.ts'
import { useLanguage, useT } from '../../i18n/index.ts'
import { attempt } from '../../ui/notices.tsx'
import { type FileProps, SaveButton } from './save-button.tsx'

/** A video of a message, fetched on first play. */
export function VideoPlayer({ message, file }: FileProps) {
  const t = useT()
  const language = useLanguage()
  const [url, setUrl] = useState<string>()
  const [isLoading, setLoading] = useState(false)
  useEffect(() => () => URL.revokeObjectURL(url ?? ''), [url])
  const play = async () => {
    setLoading(true)
    await attempt(async () =>
      setUrl(URL.createObjectURL(await fetchFile(message.message_id, file.file_id, 'original'))),
    )
    setLoading(false)
  }
  return (
    <div className="video">
      {url ? (
        // biome-ignore lint/a11y/useMediaCaption: people's own videos have no captions
        <video src={url} controls autoPlay playsInline aria-label={file.name} />
      ) : (
        <button
          type="button"
          className="video-poster"
          disabled={isLoading}
          aria-label={t('video.play', { name: file.name })}
          onClick={() => void play()}
        >
          {file.preview && <img src={file.preview} alt="" />}
          {isLoading ? <span className="spinner" /> : <Play size={32} />}
        </button>
      )}
      <div className="file-line">
        <span className="file-text">
          <span className="file-name">{file.name}</span>
          <span className="file-facts">
            {file.duration_ms !== null && `${clockOf(file.duration_ms / 1_000)} · `}
            {sizeOf(file.size, language)}
          </span>
        </span>
        <SaveButton message={message} file={file} />
      </div>
    </div>
  )
}
