import {
  getFriendSettings,
  getMySettings,
  getReceiverSettings,
  updateFriendSettings,
  updateMySettings,
  updateReceiverSettings,
} from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { useId } from 'react'
import { call } from '../core/api.ts'
import { useChat } from '../core/chat.ts'
import { useT } from '../i18n/index.ts'
import { attempt } from '../ui/notices.tsx'
import { Spinner } from '../ui/spinner.tsx'
import { SwitchRow } from './switch-row.tsx'

type Visibility = 'everyone' | 'friends' | 'nobody'
type RequestsFrom = 'everyone' | 'friends_of_friends' | 'nobody'

/** Presence, search, friend request and group settings. */
export function PrivacySection() {
  const t = useT()
  const id = useId()
  const chat = useChat()
  const own = useQuery({ queryKey: ['settings'], queryFn: () => call(getMySettings, {}) })
  const receiver = useQuery({ queryKey: ['receiver'], queryFn: () => call(getReceiverSettings, {}) })
  if (!own.data || !receiver.data) return <Spinner />
  const change = (body: {
    presence_visibility?: Visibility
    findable_by_email?: boolean
    findable_by_name?: boolean
  }) =>
    void attempt(async () => chat.queries.setQueryData(['settings'], await call(updateMySettings, { body })))
  const changeReceiver = (strangers_may_add: boolean) =>
    void attempt(async () =>
      chat.queries.setQueryData(
        ['receiver'],
        await call(updateReceiverSettings, { body: { strangers_may_add } }),
      ),
    )
  return (
    <>
      <div className="field">
        <label htmlFor={id}>{t('privacy.presence')}</label>
        <select
          id={id}
          value={own.data.presence_visibility}
          onChange={(event) => change({ presence_visibility: event.target.value as Visibility })}
        >
          <option value="everyone">{t('privacy.presence.everyone')}</option>
          <option value="friends">{t('privacy.presence.friends')}</option>
          <option value="nobody">{t('privacy.presence.nobody')}</option>
        </select>
        <p className="hint">{t('privacy.presenceHint')}</p>
      </div>
      <SwitchRow
        label={t('privacy.byName')}
        isOn={own.data.findable_by_name}
        onChange={(findable_by_name) => change({ findable_by_name })}
      />
      <SwitchRow
        label={t('privacy.byEmail')}
        isOn={own.data.findable_by_email}
        onChange={(findable_by_email) => change({ findable_by_email })}
      />
      <SwitchRow
        label={t('privacy.strangers')}
        isOn={receiver.data.strangers_may_add}
        onChange={changeReceiver}
      />
      <RequestsFromField />
    </>
  )
}

function RequestsFromField() {
  const t = useT()
  const id = useId()
  const chat = useChat()
  const { data } = useQuery({ queryKey: ['friend-settings'], queryFn: () => call(getFriendSettings, {}) })
  const change = (requests_from: RequestsFrom) =>
    void attempt(async () =>
      chat.queries.setQueryData(
        ['friend-settings'],
        await call(updateFriendSettings, { body: { requests_from } }),
      ),
    )
  return (
    <div className="field">
      <label htmlFor={id}>{t('privacy.requests')}</label>
      <select
        id={id}
        value={data?.requests_from ?? 'everyone'}
        disabled={!data}
        onChange={(event) => change(event.target.value as RequestsFrom)}
      >
        <option value="everyone">{t('privacy.requests.everyone')}</option>
        <option value="friends_of_friends">{t('privacy.requests.friends_of_friends')}</option>
        <option value="nobody">{t('privacy.requests.nobody')}</option>
      </select>
    </div>
  )
}
