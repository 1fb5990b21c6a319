import { ApiProblem, upload } from '@bigtech/client'
import { type PointerEvent, type RefObject, useEffect, useRef, useState } from 'react'
import { session } from '../core/api.ts'
import { useT } from '../i18n/index.ts'
import { Modal } from './modal.tsx'
import { attempt, notify } from './notices.tsx'

/** Width and height of what is uploaded, in pixels. */
const SIZE = 512
const MOST_ZOOM = 5

interface PictureDialogProps {
  readonly file: File
  readonly purpose: 'avatar' | 'room_picture'
  readonly onDone: (fileId: string) => void
  readonly onClose: () => void
}

/** Lets the user choose the square part of a picture that is shown, and uploads it. */
export default function PictureDialog({ file, purpose, onDone, onClose }: PictureDialogProps) {
  const t = useT()
  const canvas = useRef<HTMLCanvasElement>(null)
  const bitmap = useBitmap(file, onClose)
  const crop = useCrop(canvas, bitmap)
  const [progress, setProgress] = useState<number>()
  const save = async () => {
    setProgress(0)
    const isDone = await attempt(async () => {
      const bytes = await bytesOf(canvas.current)
      onDone(await uploadPicture(bytes, purpose, setProgress))
    })
    setProgress(undefined)
    if (isDone) onClose()
  }
  return (
    <Modal title={t('picture.crop')} onClose={onClose}>
      <div className="form">
        <canvas
          ref={canvas}
          className="picture-crop"
          width={SIZE}
          height={SIZE}
          role="img"
          aria-label={t('picture.preview')}
          {...crop.pointer}
        />
        {crop.sliders.map(({ label, ...slider }) => (
          <label key={label} className="slider">
            {t(label)}
            <input type="range" step="any" {...slider} disabled={!bitmap || slider.max === slider.min} />
          </label>
        ))}
        {progress !== undefined && <progress aria-label={t('picture.uploading')} max={1} value={progress} />}
        <div className="modal-actions">
          <button type="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <button
            type="button"
            className="primary"
            disabled={!bitmap || progress !== undefined}
            onClick={() => void save()}
          >
            {t('save')}
          </button>
        </div>
      </div>
    </Modal>
  )
}

/** The decoded picture, turned as its camera says. Closes the dialog when the file is none. */
function useBitmap(file: File, onClose: () => void): ImageBitmap | undefined {
  const t = useT()
  const [bitmap, setBitmap] = useState<ImageBitmap>()
  const close = useRef(onClose)
  useEffect(() => {
    createImageBitmap(file, { imageOrientation: 'from-image' }).then(setBitmap, () => {
      notify(t('picture.unreadable'))
      close.current()
    })
  }, [file, t])
  return bitmap
}

/** Zoom and place of the square, drawn on the canvas as it will be uploaded. */
function useCrop(canvas: RefObject<HTMLCanvasElement | null>, bitmap: ImageBitmap | undefined) {
  const [zoom, setZoom] = useState(1)
  /** The middle of the square; 0.5 is the middle of the picture. */
  const [place, setPlace] = useState({ x: 0.5, y: 0.5 })
  const { width = 1, height = 1 } = bitmap ?? {}
  const side = Math.min(width, height) / zoom
  const limits = { x: side / 2 / width, y: side / 2 / height }
  const x = within(place.x, limits.x)
  const y = within(place.y, limits.y)
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (!context || !bitmap) return
    // What is transparent would become black in a JPEG.
    context.fillStyle = '#ffffff'
    context.fillRect(0, 0, SIZE, SIZE)
    context.imageSmoothingQuality = 'high'
    context.drawImage(bitmap, x * width - side / 2, y * height - side / 2, side, side, 0, 0, SIZE, SIZE)
  }, [canvas, bitmap, x, y, side, width, height])
  const onPointerMove = ({ buttons, movementX, movementY, currentTarget }: PointerEvent) => {
    if (buttons === 0) return
    const scale = side / currentTarget.clientWidth
    setPlace({ x: x - (movementX * scale) / width, y: y - (movementY * scale) / height })
  }
  const slider = (axis: 'x' | 'y', value: number) => ({
    min: limits[axis],
    max: 1 - limits[axis],
    value,
    onChange: (event: React.ChangeEvent<HTMLInputElement>) =>
      setPlace({ x, y, [axis]: Number(event.target.value) }),
  })
  return {
    pointer: {
      onPointerDown: (event: PointerEvent) => event.currentTarget.setPointerCapture(event.pointerId),
      onPointerMove,
    },
    sliders: [
      {
        label: 'picture.zoom' as const,
        min: 1,
        max: MOST_ZOOM,
        value: zoom,
        onChange: (event: React.ChangeEvent<HTMLInputElement>) => setZoom(Number(event.target.value)),
      },
      { label: 'picture.sideways' as const, ...slider('x', x) },
      { label: 'picture.upAndDown' as const, ...slider('y', y) },
    ],
  }
}

const within = (value: number, limit: number) => Math.min(1 - limit, Math.max(limit, value))

async function bytesOf(canvas: HTMLCanvasElement | null): Promise<Blob> {
  const bytes = await new Promise<Blob | null>((resolve) => canvas?.toBlob(resolve, 'image/jpeg', 0.92))
  if (!bytes) throw new Error('The canvas gave no picture.')
  return bytes
}

/** Resolves to the file once it can be shown. @throws ApiProblem with the reason when the server refuses it. */
async function uploadPicture(
  bytes: Blob,
  purpose: 'avatar' | 'room_picture',
  onProgress: (fraction: number) => void,
): Promise<string> {
  const { file_id, refusal } = await upload(session, bytes, {
    name: 'picture.jpg',
    purpose,
    onProgress: (sent, total) => onProgress(sent / total),
  })
  if (refusal)
    throw new ApiProblem({ title: refusal.detail, status: 422, code: refusal.code, request_id: '' })
  return file_id
}
