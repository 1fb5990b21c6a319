import { decideReport, getReport } from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import { call } from '../core/api.ts'
import { useChat } from '../core/chat.ts'
import { dateAndTime } from '../core/times.ts'
import { type TextKey, useLanguage, useT } from '../i18n/index.ts'
import { Failed } from '../ui/failed.tsx'
import { Field } from '../ui/field.tsx'
import { attempt, notify } from '../ui/notices.tsx'
import { Spinner } from '../ui/spinner.tsx'

const actions = ['dismiss', 'warn', 'mute', 'suspend', 'lift'] as const
type Action = (typeof actions)[number]

/** One report: its evidence, earlier decisions, and the decision form. */
export function ReportView({ reportId, onBack }: { reportId: number; onBack: () => void }) {
  const t = useT()
  const language = useLanguage()
  const { data, error, refetch } = useQuery({
    queryKey: ['report', reportId],
    queryFn: () => call(getReport, { params: { report_id: reportId } }),
  })
  if (error) return <Failed error={error} onRetry={() => void refetch()} />
  if (!data) return <Spinner />
  return (
    <div className="report">
      <button type="button" onClick={onBack}>
        {t('moderation.back')}
      </button>
      <h3>
        {data.target.display_name} (@{data.target.username}) · {t(`report.reason.${data.reason}` as TextKey)}
      </h3>
      <p className="quiet">
        {t('moderation.by', {
          name: data.reporter.display_name,
          when: dateAndTime(data.created_at, language),
        })}
      </p>
      {data.comment && <blockquote>{data.comment}</blockquote>}
      {data.context.length > 0 && (
        <ol className="report-context" aria-label={t('moderation.context')}>
          {data.context.map((message) => (
            <li key={message.message_id} data-reported={message.reported || undefined}>
              <span className="quiet">
                {message.username} · {dateAndTime(message.created_at, language)}
                {message.reported && ` · ${t('moderation.reported')}`}
              </span>
              <span>{message.content || message.file_name}</span>
            </li>
          ))}
        </ol>
      )}
      <Decide reportId={reportId} isOpen={data.state === 'open'} onDone={onBack} />
      {data.decisions.length > 0 && <h4>{t('moderation.before')}</h4>}
      <ul className="report-decisions">
        {data.decisions.map((decision) => (
          <li key={decision.decision_id}>
            {t(`moderation.action.${decision.action}` as TextKey)} ·{' '}
            {dateAndTime(decision.created_at, language)}
            {decision.until && ` · ${t('link.until', { when: dateAndTime(decision.until, language) })}`}
            {decision.note && <span className="quiet"> {decision.note}</span>}
          </li>
        ))}
      </ul>
    </div>
  )
}

function Decide({ reportId, isOpen, onDone }: { reportId: number; isOpen: boolean; onDone: () => void }) {
  const t = useT()
  const id = useId()
  const chat = useChat()
  // A closed report allows only a lift.
  const offered: readonly Action[] = isOpen ? actions : ['lift']
  const [action, setAction] = useState<Action>(offered[0]!)
  const lasts = action === 'mute' || action === 'suspend'
  const decide = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const text = (name: string) => String(form.get(name) ?? '').trim()
    const hours = Number(text('hours'))
    const body = {
      action,
      ...(text('message') ? { message: text('message') } : {}),
      ...(text('note') ? { note: text('note') } : {}),
      ...(lasts && hours > 0 ? { hours } : {}),
    }
    void attempt(async () => {
      await call(decideReport, { params: { report_id: reportId }, body })
      for (const key of ['reports', 'report']) await chat.queries.invalidateQueries({ queryKey: [key] })
      notify(t('moderation.done'))
      onDone()
    })
  }
  return (
    <form className="form" onSubmit={decide}>
      <div className="field">
        <label htmlFor={id}>{t('moderation.decision')}</label>
        <select id={id} value={action} onChange={(event) => setAction(event.target.value as Action)}>
          {offered.map((each) => (
            <option key={each} value={each}>
              {t(`moderation.action.${each}` as TextKey)}
            </option>
          ))}
        </select>
      </div>
      {lasts && (
        <Field
          label={t('moderation.hours')}
          name="hours"
          type="number"
          min={1}
          max={8_760}
          hint={t('moderation.hoursHint')}
        />
      )}
      {action !== 'dismiss' && <Field label={t('moderation.message')} name="message" maxLength={500} />}
      <Field label={t('moderation.note')} name="note" maxLength={1_000} />
      <button type="submit" className={action === 'dismiss' || action === 'lift' ? 'primary' : 'danger'}>
        {t('moderation.decide')}
      </button>
    </form>
  )
}
