import { useEffect, useState } from 'react'
import { pictureUrl, type Variant } from '../../core/file-cache.ts'
import { useT } from '../../i18n/index.ts'
import { Modal } from '../../ui/modal.tsx'
import { type FileProps, type MessageFile, SaveButton } from './save-button.tsx'

const WIDEST = 280
const TALLEST = 340

/** A picture of a message: a blurred preview until loaded, enlarged when opened. */
export function Picture({ message, file }: FileProps) {
  const t = useT()
  const [isOpen, setOpen] = useState(false)
  const thumb = usePicture(message.message_id, file, 'thumb_320')
  return (
    <>
      <button
        type="button"
        className="picture"
        aria-label={t('files.open', { name: file.name })}
        onClick={() => setOpen(true)}
      >
        <img
          src={thumb ?? file.preview ?? undefined}
          data-loaded={thumb !== undefined}
          alt=""
          {...fitted(file)}
        />
      </button>
      {isOpen && <PictureViewer message={message} file={file} onClose={() => setOpen(false)} />}
    </>
  )
}

function PictureViewer({ message, file, onClose }: FileProps & { onClose: () => void }) {
  const large = usePicture(message.message_id, file, 'thumb_1280')
  return (
    <Modal title={file.name} onClose={onClose}>
      <div className="picture-viewer">
        <img
          src={large ?? file.preview ?? undefined}
          data-loaded={large !== undefined}
          alt={file.name}
          width={file.width ?? undefined}
          height={file.height ?? undefined}
        />
        <SaveButton message={message} file={file} />
      </div>
    </Modal>
  )
}

/** Returns the address of a loaded picture. A small picture has no thumbnail. */
function usePicture(messageId: string, { file_id, variants }: MessageFile, wanted: Variant) {
  const [url, setUrl] = useState<string>()
  const variant = variants.includes(wanted) ? wanted : 'original'
  useEffect(() => {
    let isCurrent = true
    // After a failure the blurred preview stays; opening the picture retries.
    pictureUrl(messageId, file_id, variant).then(
      (loaded) => isCurrent && setUrl(loaded),
      () => undefined,
    )
    return () => {
      isCurrent = false
    }
  }, [messageId, file_id, variant])
  return url
}

/** Returns width and height in pixels, which keep the layout stable while the picture loads. */
function fitted({ width, height }: MessageFile): { width: number; height: number } {
  const [wide, tall] = [width ?? WIDEST, height ?? WIDEST]
  const scale = Math.min(1, WIDEST / wide, TALLEST / tall)
  return { width: Math.max(48, Math.round(wide * scale)), height: Math.max(48, Math.round(tall * scale)) }
}
