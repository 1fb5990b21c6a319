import { ApiProblem } from '@bigtech/client'
import { type FormEvent, useState } from 'react'
import { explain, ruleOf } from '../core/words.ts'

type Problems = Partial<Record<string, string>>

/** Returns the state of a form submission: busy flag, error message, and problems by field. */
export function useSubmit(work: (values: Partial<Record<string, string>>) => Promise<void>) {
  const [isBusy, setBusy] = useState(false)
  const [failure, setFailure] = useState('')
  const [problems, setProblems] = useState<Problems>({})
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const values = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>
    setBusy(true)
    setFailure('')
    setProblems({})
    try {
      await work(values)
    } catch (err) {
      const byField = problemsOf(err)
      setProblems(byField)
      if (Object.keys(byField).length === 0) setFailure(explain(err))
    } finally {
      setBusy(false)
    }
  }
  return { submit, isBusy, failure, problems }
}

function problemsOf(err: unknown): Problems {
  if (!(err instanceof ApiProblem)) return {}
  if (err.code === 'EMAIL_TAKEN') return { email: explain(err) }
  if (err.code === 'USERNAME_TAKEN') return { username: explain(err) }
  return Object.fromEntries(err.errors.map(({ field, message }) => [field, ruleOf(field) ?? message]))
}
