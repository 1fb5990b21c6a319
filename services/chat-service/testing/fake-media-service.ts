import { type MessageFile, messageFileExample, type ProblemCode, problems } from '@bigtech/contracts'
import { startHttpServer } from '@bigtech/testkit'

/** A fake media-service: responds to a claim with a registered file or a problem, to the claim of a picture with 204. */
export interface FakeMediaService {
  readonly url: string
  /** Registers a file that can be claimed. */
  file(shown?: Partial<MessageFile>): MessageFile
  /** Registers a file that is refused with that code. */
  refusing(code: ProblemCode): string
  close(): Promise<void>
}

export async function startFakeMediaService(): Promise<FakeMediaService> {
  const files = new Map<string, MessageFile | ProblemCode>()
  const server = await startHttpServer((request, response) => {
    const id = /^\/files\/([0-9a-f-]{36})\/claim(?:-picture)?$/.exec(request.url ?? '')?.[1] ?? ''
    const isPicture = request.url?.endsWith('-picture')
    const known = files.get(id) ?? 'FILE_NOT_FOUND'
    const isProblem = typeof known === 'string'
    const success = isPicture ? 204 : 200
    response.writeHead(isProblem ? problems[known].status : success, { 'content-type': 'application/json' })
    const body = isProblem ? { code: known, detail: `detail of ${known}` } : known
    response.end(isPicture && !isProblem ? undefined : JSON.stringify(body))
  })
  return {
    url: server.url,
    file: (shown = {}) => {
      const file = { ...messageFileExample, file_id: crypto.randomUUID(), ...shown }
      files.set(file.file_id, file)
      return file
    },
    refusing: (code) => {
      const id = crypto.randomUUID()
      files.set(id, code)
      return id
    },
    close: () => server.close(),
  }
}
