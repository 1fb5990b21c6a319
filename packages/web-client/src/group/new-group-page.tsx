import { createRoom } from '@bigtech/client'
import { type FormEvent, useState } from 'react'
import { useLocation } from 'wouter'
import { call } from '../core/api.ts'
import { useChat } from '../core/chat.ts'
import { useT } from '../i18n/index.ts'
import { Field } from '../ui/field.tsx'
import { attempt } from '../ui/notices.tsx'
import { Page } from '../ui/page.tsx'
import { PictureField } from '../ui/picture-field.tsx'
import { PickFriends } from './pick-friends.tsx'

export default function NewGroupPage() {
  const t = useT()
  const chat = useChat()
  const [, navigate] = useLocation()
  const [chosen, setChosen] = useState<readonly number[]>([])
  const [picture, setPicture] = useState<string | null>(null)
  const create = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const name = String(new FormData(event.currentTarget).get('name')).trim()
    void attempt(async () => {
      const body = { name: name || null, image_file_id: picture, member_ids: [...chosen] }
      const room = await call(createRoom, { body })
      chat.putRoom(room)
      navigate(`/rooms/${room.room_id}`, { replace: true })
    })
  }
  return (
    <Page title={t('group.new')} back="/rooms">
      <form className="form" onSubmit={create}>
        <PictureField
          name={t('group.new')}
          id={chat.userId}
          url={picture && `/api/pictures/${picture}`}
          purpose="room_picture"
          onChange={setPicture}
        />
        <Field label={t('group.name')} name="name" maxLength={100} hint={t('group.nameHint')} />
        <PickFriends chosen={chosen} onChange={setChosen} />
        <button type="submit" className="primary">
          {t('group.create', { count: chosen.length })}
        </button>
      </form>
    </Page>
  )
}
