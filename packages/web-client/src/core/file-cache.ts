import { getFileContent, problemOf } from '@bigtech/client'
import { http, session } from './api.ts'
import { signedInUser } from './session-store.ts'

export type Variant = 'original' | 'thumb_320' | 'thumb_1280'

/** Number of cached pictures; each is a few dozen kilobytes. */
const KEPT = 100
const urls = new Map<string, Promise<string>>()

/** Fetches a file of a message. Sends the token in a header, because addresses end up in logs. @throws ApiProblem */
export async function fetchFile(messageId: string, fileId: string, variant: Variant): Promise<Blob> {
  const path = getFileContent.path.replace(':file_id', fileId)
  const query = new URLSearchParams({ message_id: messageId, variant })
  const response = await http.fetch(`${http.baseUrl}${path}?${query}`, {
    headers: { authorization: `Bearer ${await session.token()}` },
  })
  if (!response.ok) throw await problemOf(response)
  return response.blob()
}

/** Returns the object URL of a picture; cached while it is among the most recently shown. */
export function pictureUrl(messageId: string, fileId: string, variant: Variant): Promise<string> {
  const key = `${fileId}/${variant}`
  const known = urls.get(key) ?? urls.get(`${fileId}/own`)
  if (known) return known
  const made = fetchFile(messageId, fileId, variant).then((bytes) => URL.createObjectURL(bytes))
  made.catch(() => urls.delete(key))
  keep(key, made)
  return made
}

/** Caches bytes uploaded by this tab, so that they are not fetched again. */
export function rememberBytes(fileId: string, bytes: Blob): void {
  keep(`${fileId}/own`, Promise.resolve(URL.createObjectURL(bytes)))
}

function keep(key: string, url: Promise<string>): void {
  urls.set(key, url)
  const [oldest] = urls.keys()
  if (urls.size > KEPT && oldest) drop(oldest)
}

function drop(key: string): void {
  urls.get(key)?.then(URL.revokeObjectURL, () => undefined)
  urls.delete(key)
}

signedInUser.subscribe(() => {
  for (const key of [...urls.keys()]) drop(key)
})
