import { updateMyProfile } from '@bigtech/client'
import type { FormEvent } from 'react'
import { call } from '../core/api.ts'
import { keys, useChat } from '../core/chat.ts'
import { useProfile } from '../core/queries.ts'
import { useT } from '../i18n/index.ts'
import { Field } from '../ui/field.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import { PictureField } from '../ui/picture-field.tsx'
import { Spinner } from '../ui/spinner.tsx'

export function ProfileSection() {
  const t = useT()
  const chat = useChat()
  const { data: profile } = useProfile()
  if (!profile) return <Spinner />
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const values = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>
    void attempt(async () => {
      const body = {
        display_name: values.display_name ?? '',
        status_message: values.status_message?.trim() || null,
      }
      chat.queries.setQueryData(keys.profile, await call(updateMyProfile, { body }))
      notify(t('saved'))
    })
  }
  const setPicture = (profile_image_file_id: string | null) =>
    void attempt(async () => {
      const body = { profile_image_file_id }
      chat.queries.setQueryData(keys.profile, await call(updateMyProfile, { body }))
      notify(t('saved'))
    })
  return (
    <form className="form" onSubmit={save}>
      <PictureField
        name={profile.display_name}
        id={profile.user_id}
        url={profile.profile_image_url}
        purpose="avatar"
        onChange={setPicture}
      />
      <Field
        label={t('auth.displayName')}
        name="display_name"
        defaultValue={profile.display_name}
        maxLength={50}
        required
      />
      <Field
        label={t('settings.statusMessage')}
        name="status_message"
        defaultValue={profile.status_message ?? ''}
        maxLength={200}
      />
      <p className="quiet">
        @{profile.username} · {profile.email}
      </p>
      <button type="submit" className="primary">
        {t('save')}
      </button>
    </form>
  )
}
