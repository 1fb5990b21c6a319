import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from './problem.ts'

const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'
/** More than any form has; a body of `&` alone would create as many fields as it has bytes. */
const MAX_FORM_FIELDS = 100

/**
 * Reads bodies as each operation documents them: UTF-8 alone, JSON or a form but never either.
 * @throws Problem MEDIA_TYPE_UNSUPPORTED, BODY_NOT_UTF8, BODY_NOT_JSON, BAD_REQUEST
 */
export function installBodyParsers(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    // Clients may send a content type without a body.
    if (body.length === 0) return done(null, undefined)
    const wanted = request.routeOptions.config?.contract?.bodyType === 'form' ? FORM_TYPE : JSON_TYPE
    const problem = refusalOf(request, wanted, body)
    if (problem) return done(problem)
    const text = body.toString('utf8')
    if (wanted === JSON_TYPE) return parseJson(request, text, done)
    try {
      done(null, parseForm(text))
    } catch (err) {
      done(err as Error)
    }
  })
}

function refusalOf(request: FastifyRequest, wanted: string, body: Buffer): Problem | undefined {
  const { 'content-type': header = '' } = request.headers
  const [essence = '', ...parameters] = header.toLowerCase().split(';')
  if (essence.trim() !== wanted) {
    const sent =
      essence.trim() === '' ? 'The content type is missing.' : `${essence.trim()} is not supported here.`
    return new Problem('MEDIA_TYPE_UNSUPPORTED', { detail: `${sent} Send Content-Type: ${wanted}.` })
  }
  const charset = parameters.map((parameter) => parameter.trim()).find((each) => each.startsWith('charset='))
  if (
    charset !== undefined &&
    !['utf-8', 'utf8'].includes(charset.slice('charset='.length).replaceAll('"', ''))
  ) {
    return new Problem('MEDIA_TYPE_UNSUPPORTED', { detail: 'Encode the body in UTF-8.' })
  }
  return isUtf8(body) ? undefined : new Problem('BODY_NOT_UTF8')
}

/** Parses a form. A repeated field becomes a list, which every schema rejects (RFC 6749, 3.2). */
function parseForm(text: string): Record<string, string | string[]> {
  const pairs = text.split('&').filter(Boolean)
  if (pairs.length > MAX_FORM_FIELDS)
    throw new Problem('BAD_REQUEST', { detail: `A form may have at most ${MAX_FORM_FIELDS} fields.` })
  const fields: Record<string, string | string[]> = Object.create(null)
  for (const pair of pairs) {
    const split = pair.indexOf('=')
    const name = decode(split < 0 ? pair : pair.slice(0, split))
    const value = split < 0 ? '' : decode(pair.slice(split + 1))
    fields[name] = name in fields ? [fields[name]!, value].flat() : value
  }
  return fields
}

/** Decodes strictly, because replacement characters would lose the invalid bytes. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (err) {
    throw new Problem('BAD_REQUEST', { detail: 'Encode the form as percent-encoded UTF-8.', cause: err })
  }
}
