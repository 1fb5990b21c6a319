import { updateRoom } from '@bigtech/client'
import { type FormEvent, useId } from 'react'
import { call } from '../core/api.ts'
import { useChat } from '../core/chat.ts'
import { useT } from '../i18n/index.ts'
import { Field } from '../ui/field.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import { PictureField } from '../ui/picture-field.tsx'
import { useRoomState } from './room-context.ts'

type Change = {
  name?: string | null
  image_file_id?: string | null
  history_visibility?: 'all' | 'since_join'
  posting?: 'everyone' | 'admins'
  slow_mode_seconds?: number
}

const slowModes = [0, 10, 30, 60, 300, 3_600]

/** Picture and name of a group, what newcomers see, and who may write how often, for its owner and admins. */
export function GroupSettings() {
  const t = useT()
  const id = useId()
  const chat = useChat()
  const { room } = useRoomState()
  const change = (body: Change) =>
    void attempt(async () => {
      chat.putRoom(await call(updateRoom, { params: { room_id: room.room_id }, body }))
      notify(t('saved'))
    })
  const rename = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const name = String(new FormData(event.currentTarget).get('name')).trim()
    change({ name: name || null })
  }
  return (
    <section>
      <PictureField
        name={room.title}
        id={room.room_id}
        url={room.image_url}
        purpose="room_picture"
        onChange={(image_file_id) => change({ image_file_id })}
      />
      <form className="inline-form" onSubmit={rename}>
        <Field label={t('group.name')} name="name" defaultValue={room.name ?? ''} maxLength={100} />
        <button type="submit">{t('save')}</button>
      </form>
      <div className="field">
        <label htmlFor={id}>{t('group.history')}</label>
        <select
          id={id}
          value={room.history_visibility}
          onChange={(event) => change({ history_visibility: event.target.value as 'all' | 'since_join' })}
        >
          <option value="all">{t('group.history.all')}</option>
          <option value="since_join">{t('group.history.since_join')}</option>
        </select>
      </div>
      <div className="field">
        <label htmlFor={`${id}-posting`}>{t('group.posting')}</label>
        <select
          id={`${id}-posting`}
          value={room.posting}
          onChange={(event) => change({ posting: event.target.value as 'everyone' | 'admins' })}
        >
          <option value="everyone">{t('group.posting.everyone')}</option>
          <option value="admins">{t('group.posting.admins')}</option>
        </select>
      </div>
      <div className="field">
        <label htmlFor={`${id}-slow`}>{t('group.slowMode')}</label>
        <select
          id={`${id}-slow`}
          value={room.slow_mode_seconds}
          onChange={(event) => change({ slow_mode_seconds: Number(event.target.value) })}
        >
          {[...new Set([...slowModes, room.slow_mode_seconds])].map((seconds) => (
            <option key={seconds} value={seconds}>
              {seconds === 0 ? t('group.slowMode.off') : t('group.slowMode.seconds', { count: seconds })}
            </option>
          ))}
        </select>
      </div>
    </section>
  )
}
