import { Square } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useChat } from '../core/chat.ts'
import { clockOf } from '../core/clock-of.ts'
import { Recording } from '../core/recording.ts'
import { explain, explainCode } from '../core/words.ts'
import { useT } from '../i18n/index.ts'
import { type Analysis, followAnalysis, type Progress, submitRecording } from './analysis.ts'
import { ResultView } from './result-view.tsx'
import { toWav } from './wav.ts'

/** The server takes 30 seconds. */
const LONGEST_SECONDS = 29.5

type Step =
  | { readonly name: 'recording'; readonly seconds: number; readonly level: number }
  | { readonly name: 'uploading' }
  | { readonly name: 'analyzing'; readonly progress: Progress }
  | { readonly name: 'done'; readonly analysis: Analysis }
  | { readonly name: 'failed'; readonly reason: string }

/** One attempt at a line, from the recording to its scores. */
export function Attempt({ tokenId, onAgain }: { tokenId: number; onAgain: () => void }) {
  const t = useT()
  const { step, stop } = useAttempt(tokenId)
  const isOver = step.name === 'done' || step.name === 'failed'
  return (
    <div className="practice-attempt">
      {step.name === 'recording' && (
        <>
          <p className="recorder-line">
            <span className="recorder-dot" style={{ scale: 0.8 + step.level / 100 }} aria-hidden="true" />
            <span role="timer">{clockOf(step.seconds)}</span> {t('practice.recording')}
          </p>
          <button type="button" className="primary" onClick={stop}>
            <Square size={16} aria-hidden="true" /> {t('practice.stop')}
          </button>
        </>
      )}
      {step.name === 'uploading' && <p role="status">{t('practice.uploading')}</p>}
      {step.name === 'analyzing' && (
        <>
          <p role="status">{t(stepText(step.progress))}</p>
          <progress aria-label={t('practice.progress')} max={100} value={step.progress.progress} />
        </>
      )}
      {step.name === 'done' && step.analysis.result && <ResultView result={step.analysis.result} />}
      {step.name === 'failed' && (
        <p className="error" role="alert">
          {step.reason}
        </p>
      )}
      {isOver && (
        <button type="button" onClick={onAgain}>
          {t('practice.again')}
        </button>
      )}
    </div>
  )
}

function stepText({ state }: Progress) {
  return state === 'queued' || state === 'running' ? (`practice.${state}` as const) : 'practice.analyzing'
}

function useAttempt(tokenId: number): { step: Step; stop: () => void } {
  const t = useT()
  const chat = useChat()
  const [step, setStep] = useState<Step>({ name: 'recording', seconds: 0, level: 0 })
  const stop = useRef<() => void>(() => undefined)
  useEffect(() => {
    const over = new AbortController()
    const fail = (reason: string) => !over.signal.aborted && setStep({ name: 'failed', reason })
    let recording: Recording | undefined
    const onLevel = (level: number, seconds: number) => {
      setStep((now) => (now.name === 'recording' ? { name: 'recording', seconds, level } : now))
      if (seconds > LONGEST_SECONDS) stop.current()
    }
    const analyze = async (started: Recording) => {
      const sound = await started.stop()
      if (!sound) return fail(t('error.NO_SPEECH'))
      setStep({ name: 'uploading' })
      const queued = await submitRecording(tokenId, await toWav(sound.bytes))
      const show = (progress: Progress) => setStep({ name: 'analyzing', progress })
      show(queued)
      const analysis = await followAnalysis(queued.job_id, show, over.signal)
      if (analysis.error) return fail(explainCode(analysis.error.code, analysis.error.detail))
      if (analysis.result) setStep({ name: 'done', analysis })
      for (const queryKey of [['practice-overview'], ['dubbed-tokens']])
        void chat.queries.invalidateQueries({ queryKey })
    }
    Recording.start(onLevel).then(
      (started) => {
        if (over.signal.aborted) return started.discard()
        recording = started
        stop.current = () => {
          stop.current = () => undefined
          analyze(started).catch((err: unknown) => fail(explain(err)))
        }
      },
      (err: unknown) => {
        const isDenied = err instanceof DOMException && err.name === 'NotAllowedError'
        fail(t(isDenied ? 'voice.denied' : 'voice.missing'))
      },
    )
    return () => {
      over.abort()
      recording?.discard()
    }
  }, [tokenId, t, chat])
  return { step, stop: () => stop.current() }
}
