import { ApiProblem, NetworkFailure } from '@bigtech/client'
import i18next from 'i18next'
import { type TextKey, t } from '../i18n/index.ts'

/** A failure with a text of its own. */
export class UserFacingError extends Error {
  readonly key: TextKey

  constructor(key: TextKey) {
    super(key)
    this.key = key
  }
}

/** Returns the message of a failure and its remedy in the user's language. */
export function explain(err: unknown): string {
  if (err instanceof NetworkFailure) return t('error.NETWORK')
  if (err instanceof UserFacingError) return t(err.key)
  if (!(err instanceof ApiProblem)) return t('error.INTERNAL', { id: '' })
  const seconds = err.retryAfterSeconds ?? 0
  if (err.code === 'VALIDATION_FAILED' && err.errors.length > 0) {
    return err.errors.map(({ field, message }) => ruleOf(field) ?? `${field}: ${message}`).join(' ')
  }
  return explainCode(err.code, err.message, { seconds, id: err.requestId })
}

/** Returns the message of an error code stored without its error. */
export function explainCode(
  code: string,
  detail: string,
  values: Record<string, string | number> = {},
): string {
  const key = `error.${code}`
  return i18next.exists(key) ? t(key as TextKey, values) : detail
}

/** Returns the rule of a form field that the server rejected. */
export function ruleOf(field: string): string | undefined {
  const key = `rule.${field.replace(/^body\./, '')}`
  return i18next.exists(key) ? t(key as TextKey) : undefined
}
