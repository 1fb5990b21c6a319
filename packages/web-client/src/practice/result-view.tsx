import { useId } from 'react'
import { useLanguage, useT } from '../i18n/index.ts'
import type { Result } from './analysis.ts'

const kinds = ['overall', 'pronunciation', 'intonation', 'emotion'] as const
const GOOD = 80
const FAIR = 55

/** The scores of an attempt, word by word, and what to do better. */
export function ResultView({ result }: { result: Result }) {
  const t = useT()
  const language = useLanguage()
  const { scores, feedback } = result
  const times = new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(feedback.pace)
  return (
    <div className="practice-result">
      <dl className="practice-scores">
        {kinds.map((kind) => (
          <Score key={kind} label={t(`practice.${kind}`)} value={scores[kind]} />
        ))}
      </dl>
      <h4>{t('practice.words')}</h4>
      <ul className="practice-words">
        {feedback.words.map(({ word, score, start_ms }) => (
          <li key={start_ms} data-grade={gradeOf(score)}>
            {word} <span>{Math.round(score)}</span>
          </li>
        ))}
      </ul>
      <p className="quiet">
        {t('practice.pace', { times })}
        {feedback.quality !== 'ok' && ` ${t(`practice.quality.${feedback.quality}`)}`}
      </p>
      {feedback.tips.length > 0 && (
        <ul className="practice-tips">
          {feedback.tips.map((tip) => (
            <li key={tip}>{t(`practice.tip.${tip}`)}</li>
          ))}
        </ul>
      )}
    </div>
  )
}

function Score({ label, value }: { label: string; value: number }) {
  const id = useId()
  return (
    <div>
      <dt id={id}>{label}</dt>
      <dd>
        <strong>{Math.round(value)}</strong>
        <meter min={0} max={100} value={value} aria-labelledby={id} />
      </dd>
    </div>
  )
}

function gradeOf(score: number): 'good' | 'fair' | 'poor' {
  if (score >= GOOD) return 'good'
  return score >= FAIR ? 'fair' : 'poor'
}
