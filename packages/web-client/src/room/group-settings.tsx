import { updateRoom } from '@bigtech/client'
import { type FormEvent, useId } from 'react'
import { call } from '../core/api.ts'
import { useChat } from '../core/chat.ts'
import { useT } from '../i18n/index.ts'
import { Field } from '../ui/field.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import { useRoomState } from './room-context.ts'

type Change = { name?: string | null; history_visibility?: 'all' | 'since_join' }

/** Name of a group and what newcomers see, for its owner and admins. */
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
    </section>
  )
}
