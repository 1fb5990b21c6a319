import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type AnalysisRequest, analysisRequest, maxRecordingBytes } from '@bigtech/contracts'
import { verifyWebhook } from '@bigtech/service-kit'
import type { Multipart, MultipartFile } from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'

/** A rejected request. */
export class Refused extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export const multipartLimits = {
  files: 2,
  fields: 1,
  parts: 3,
  fieldSize: 20_000,
  fileSize: maxRecordingBytes,
}

const clips = ['reference', 'recording'] as const

/** Reads `request` (signed JSON), then stores the clips `reference` and `recording` in a directory. @throws Refused */
export async function readAnalysis(
  request: FastifyRequest,
  folder: string,
  secret: string,
): Promise<AnalysisRequest> {
  let wanted: AnalysisRequest | undefined
  let refused: Refused | undefined
  const stored = new Set<string>()
  for await (const part of request.parts()) {
    // A rejection in the middle of a body would block its sender: the rest is read and discarded.
    try {
      if (refused) discard(part)
      else if (part.type === 'field') wanted = readRequest(part, request, secret)
      else stored.add(await storeClip(part, folder, wanted !== undefined))
    } catch (err) {
      discard(part)
      if (!(err instanceof Refused)) throw err
      refused = err
    }
  }
  if (refused) throw refused
  if (!wanted) throw new Refused(401, 'The signed part `request` is missing.')
  for (const name of clips) if (!stored.has(name)) throw new Refused(422, `The part \`${name}\` is missing.`)
  return wanted
}

function discard(part: Multipart): void {
  if (part.type === 'file') part.file.resume()
}

/** Stores a clip and returns its name. @throws Refused */
async function storeClip(part: MultipartFile, folder: string, isSigned: boolean): Promise<string> {
  if (!isSigned) throw new Refused(401, 'The signed part `request` must come first.')
  if (!clips.some((name) => name === part.fieldname))
    throw new Refused(422, `Unknown part ${part.fieldname}.`)
  await pipeline(part.file, createWriteStream(join(folder, part.fieldname)))
  if (part.file.truncated) throw new Refused(413, `A clip may have at most ${maxRecordingBytes} bytes.`)
  return part.fieldname
}

function readRequest(
  part: Extract<Multipart, { type: 'field' }>,
  { headers }: FastifyRequest,
  secret: string,
) {
  const text = String(part.value)
  if (part.fieldname !== 'request' || verifyWebhook([secret], headers, text) === undefined)
    throw new Refused(401, 'The signature is not valid.')
  const { data, error } = analysisRequest.safeParse(JSON.parse(text))
  if (!data)
    throw new Refused(
      422,
      error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    )
  return data
}
