import { updateFriend } from '@bigtech/client'
import type { FormEvent } from 'react'
import { call } from '../core/api.ts'
import { keys, useChat } from '../core/chat.ts'
import { useT } from '../i18n/index.ts'
import { SwitchRow } from '../settings/switch-row.tsx'
import { Field } from '../ui/field.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import '../styles/settings.css'

interface Note {
  readonly user_id: number
  readonly nickname: string | null
  readonly favourite: boolean
  readonly hidden: boolean
}

/** The user's private notes about a friend. */
export function FriendNotes({ friend }: { friend: Note }) {
  const t = useT()
  const chat = useChat()
  const change = (body: Partial<Omit<Note, 'user_id'>>) =>
    void attempt(async () => {
      await call(updateFriend, { params: { user_id: friend.user_id }, body })
      await chat.queries.invalidateQueries({ queryKey: keys.friends })
      notify(t('saved'))
    })
  const rename = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const nickname = String(new FormData(event.currentTarget).get('nickname')).trim()
    change({ nickname: nickname || null })
  }
  return (
    <div className="friend-notes">
      <form className="inline-form" onSubmit={rename}>
        <Field
          key={friend.nickname}
          label={t('person.nickname')}
          name="nickname"
          defaultValue={friend.nickname ?? ''}
          maxLength={50}
        />
        <button type="submit">{t('save')}</button>
      </form>
      <SwitchRow
        label={t('person.favourite')}
        isOn={friend.favourite}
        onChange={(favourite) => change({ favourite })}
      />
      <SwitchRow
        label={t('person.hide')}
        hint={t('person.hideHint')}
        isOn={friend.hidden}
        onChange={(hidden) => change({ hidden })}
      />
    </div>
  )
}
