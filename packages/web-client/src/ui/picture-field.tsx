import { Suspense, useRef, useState } from 'react'
import { useT } from '../i18n/index.ts'
import { lazyWithTexts } from '../i18n/lazy-with-texts.tsx'
import { Avatar } from './avatar.tsx'
import '../styles/pictures.css'

const PictureDialog = lazyWithTexts('pictures', () => import('./picture-dialog.tsx'))

interface PictureFieldProps {
  readonly name: string
  readonly id: number
  readonly url: string | null
  readonly purpose: 'avatar' | 'room_picture'
  /** Called with the file of the new picture; null removes the picture. */
  readonly onChange: (fileId: string | null) => void
}

/** The picture of a profile or a room, and how to change it. */
export function PictureField({ purpose, onChange, ...avatar }: PictureFieldProps) {
  const t = useT()
  const picker = useRef<HTMLInputElement>(null)
  const [chosen, setChosen] = useState<File>()
  return (
    <div className="picture-field">
      <Avatar {...avatar} size={88} />
      <input
        ref={picker}
        type="file"
        accept="image/*"
        hidden
        onChange={(event) => {
          setChosen(event.target.files?.[0])
          // The same file can be chosen again.
          event.target.value = ''
        }}
      />
      <button type="button" onClick={() => picker.current?.click()}>
        {t('picture.choose')}
      </button>
      {avatar.url && (
        <button type="button" onClick={() => onChange(null)}>
          {t('picture.remove')}
        </button>
      )}
      {chosen && (
        <Suspense>
          <PictureDialog
            file={chosen}
            purpose={purpose}
            onDone={onChange}
            onClose={() => setChosen(undefined)}
          />
        </Suspense>
      )}
    </div>
  )
}
