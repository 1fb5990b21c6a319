import {
  getNotificationPreferences,
  type NotificationPreferences,
  putNotificationPreferences,
} from '@bigtech/client'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../core/api.ts'
import { useChat } from '../core/chat.ts'
import { disablePush, enablePush, isPushEnabled, pushSupport } from '../core/push.ts'
import { useT } from '../i18n/index.ts'
import { Field } from '../ui/field.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import { Spinner } from '../ui/spinner.tsx'
import { SwitchRow } from './switch-row.tsx'

const key = ['preferences']

/** The user's notification preferences. */
export function NotificationSection() {
  const t = useT()
  const chat = useChat()
  const { data } = useQuery({
    queryKey: key,
    queryFn: () => call(getNotificationPreferences, {}),
  })
  const save = useMutation({
    // One at a time: a request carries every setting, also those changed by the previous request.
    scope: { id: 'preferences' },
    mutationFn: async (changes: Partial<NotificationPreferences>) => {
      const current = chat.queries.getQueryData<NotificationPreferences>(key)
      if (!current) return
      const body = { ...current, ...changes }
      chat.queries.setQueryData(key, await call(putNotificationPreferences, { body }))
    },
  })
  if (!data) return <Spinner />
  const change = (changes: Partial<NotificationPreferences>) => void attempt(() => save.mutateAsync(changes))
  return (
    <>
      <ThisBrowser />
      <SwitchRow
        label={t('notifications.messages')}
        isOn={data.message_push}
        onChange={(message_push) => change({ message_push })}
      />
      <SwitchRow
        label={t('notifications.requests')}
        isOn={data.friend_request_push}
        onChange={(friend_request_push) => change({ friend_request_push })}
      />
      <SwitchRow
        label={t('notifications.mentions')}
        isOn={data.mentions_when_muted}
        onChange={(mentions_when_muted) => change({ mentions_when_muted })}
      />
      <SwitchRow
        label={t('notifications.preview')}
        isOn={data.show_preview}
        onChange={(show_preview) => change({ show_preview })}
      />
      <QuietHours preferences={data} onChange={(quiet_hours) => change({ quiet_hours })} />
    </>
  )
}

/** Web Push in this browser. */
function ThisBrowser() {
  const t = useT()
  const support = pushSupport()
  const { data, refetch } = useQuery({
    queryKey: ['push'],
    queryFn: isPushEnabled,
    enabled: support === 'yes',
  })
  const [isBusy, setBusy] = useState(false)
  const toggle = async (isOn: boolean) => {
    setBusy(true)
    await attempt(async () => {
      const outcome = isOn ? await enablePush() : await disablePush()
      if (outcome === 'denied') notify(t('notifications.denied'))
      if (outcome === 'unavailable') notify(t('notifications.unavailable'))
      await refetch()
    })
    setBusy(false)
  }
  if (support === 'no') return <p className="quiet">{t('notifications.unsupported')}</p>
  return (
    <SwitchRow
      label={t('notifications.here')}
      hint={isBusy ? t('loading') : t('notifications.hereHint')}
      isOn={data ?? false}
      onChange={(isOn) => void toggle(isOn)}
    />
  )
}

interface QuietHoursProps {
  readonly preferences: NotificationPreferences
  readonly onChange: (hours: NotificationPreferences['quiet_hours']) => void
}

function QuietHours({ preferences, onChange }: QuietHoursProps) {
  const t = useT()
  const hours = preferences.quiet_hours
  const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const toggle = (isOn: boolean) => onChange(isOn ? { start: '22:00', end: '07:00', time_zone } : null)
  return (
    <>
      <SwitchRow
        label={t('notifications.quiet')}
        hint={t('notifications.quietHint')}
        isOn={hours !== null}
        onChange={toggle}
      />
      {hours && (
        <div className="two-fields">
          <Field
            label={t('notifications.from')}
            type="time"
            value={hours.start}
            onChange={(event) => event.target.value && onChange({ ...hours, start: event.target.value })}
          />
          <Field
            label={t('notifications.to')}
            type="time"
            value={hours.end}
            onChange={(event) => event.target.value && onChange({ ...hours, end: event.target.value })}
          />
        </div>
      )}
    </>
  )
}
