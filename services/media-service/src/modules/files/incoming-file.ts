import { fileName, filePurpose } from '@bigtech/contracts'
import { Problem } from '@bigtech/service-kit'
import type { FastifyMultipartBaseOptions, Multipart, MultipartFile } from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import type { IncomingFile } from './upload.service.ts'

/** Returns the limits of a form with one file. */
export function uploadLimits(fileSize: number): FastifyMultipartBaseOptions {
  return {
    // A path as name is rejected, not shortened.
    preservePath: true,
    limits: { files: 1, fields: 4, parts: 5, fieldSize: 200, headerPairs: 20, fileSize },
  }
}

/**
 * Reads the fields before the file, and leaves the file to be streamed.
 * @param asDocument fixes the purpose; the form has no field
 * @throws Problem MEDIA_TYPE_UNSUPPORTED, UPLOAD_CUT, FILE_MISSING, VALIDATION_FAILED
 */
export async function incomingFile(request: FastifyRequest, asDocument = false): Promise<IncomingFile> {
  if (!request.isMultipart())
    throw new Problem('MEDIA_TYPE_UNSUPPORTED', { detail: 'Send multipart/form-data.' })
  const fields = new Map<string, string>()
  let part: Multipart | undefined
  try {
    for await (const next of request.parts()) {
      if (next.type === 'file') {
        part = next
        break
      }
      fields.set(next.fieldname, String(next.value))
    }
  } catch (cause) {
    throw new Problem('UPLOAD_CUT', { cause })
  }
  if (part?.type !== 'file') throw new Problem('FILE_MISSING')
  return readPart(part, fields, request, asDocument)
}

function readPart(
  part: MultipartFile,
  fields: Map<string, string>,
  request: FastifyRequest,
  asDocument: boolean,
): IncomingFile {
  const purpose = filePurpose.default('attachment').safeParse(fields.get('purpose'))
  const name = fileName.safeParse(part.filename ?? '')
  const errors = [
    ...[...fields.keys()]
      .filter((field) => asDocument || field !== 'purpose')
      .map((field) => ({ field, message: 'Unknown field.' })),
    ...(purpose.error?.issues ?? []).map(({ message }) => ({ field: 'purpose', message })),
    ...(name.error?.issues ?? []).map(({ message }) => ({ field: 'file.filename', message })),
    ...(part.fieldname === 'file'
      ? []
      : [{ field: part.fieldname.slice(0, 100), message: 'The part must be named `file`.' }]),
  ]
  if (errors.length > 0 || !purpose.success || !name.success)
    throw new Problem('VALIDATION_FAILED', { errors })
  const announced = Number(request.headers['content-length'])
  return {
    name: name.data,
    mime: part.mimetype,
    purpose: asDocument ? 'document' : purpose.data,
    body: part.file,
    isTruncated: () => part.file.truncated,
    announcedBytes: Number.isSafeInteger(announced) ? announced : undefined,
  }
}
