import type { Finding } from '@bigtech/service-kit'
import type { ListedObject, ObjectStore } from '../../infrastructure/object-store.ts'
import type { ExpectedFolder, ExpectedObjects } from './expected-objects.repository.ts'

export interface ObjectCheck {
  readonly expected: Pick<ExpectedObjects, 'files' | 'recordings' | 'clips' | 'read' | 'isDoomed'>
  readonly store: Pick<ObjectStore, 'all' | 'delete'>
  /** Deletes objects without a row. Nothing can restore the bytes of a row without an object. */
  readonly fix: boolean
  readonly now: () => number
}

/** A job stores its results before the row that names them. */
const IN_FLIGHT_MS = 60 * 60 * 1_000
const PRACTICE = 'practice/'
const TAKES = 'practice/takes/'
const CLIPS = 'practice/clips/'

/** Compares the rows of files, recordings and clips with the objects in the store, in both directions. */
export async function checkObjects(check: ObjectCheck): Promise<Finding[]> {
  const { expected, store } = check
  const folders = (prefix: string, depth: number) => foldersOf(store.all(prefix), depth)
  return [
    ...(await checkFolders(check, expected.files(), withoutPractice(folders('', 1)))),
    ...(await checkFolders(check, expected.recordings(), folders(TAKES, 3))),
    ...(await checkClips(check)),
  ]
}

interface Listed {
  readonly folder: string
  readonly objects: readonly ListedObject[]
}

/** Merges both sides, which are ordered by folder; a folder is in the order of its UUID. */
async function checkFolders(
  check: ObjectCheck,
  rows: AsyncIterator<ExpectedFolder, void>,
  listed: AsyncIterator<Listed, void>,
): Promise<Finding[]> {
  const findings: Finding[] = []
  let row = await rows.next()
  let found = await listed.next()
  while (!row.done || !found.done) {
    const mine = row.done ? undefined : row.value.folder
    const theirs = found.done ? undefined : found.value.folder
    const folder = theirs === undefined || (mine !== undefined && mine < theirs) ? mine! : theirs
    const objects = folder === theirs && !found.done ? found.value.objects : []
    const expected = folder === mine && !row.done ? row.value : undefined
    if (differences(expected, objects, check.now()).length > 0)
      findings.push(...(await confirmed(check, folder)))
    if (folder === mine) row = await rows.next()
    if (folder === theirs) found = await listed.next()
  }
  return findings
}

/** Reads both sides of one folder again: rows and objects may have changed between the two lists. */
async function confirmed(check: ObjectCheck, folder: string): Promise<Finding[]> {
  const { expected, store, fix } = check
  const objects: ListedObject[] = []
  for await (const object of store.all(folder)) objects.push(object)
  const row = await expected.read(folder)
  const findings: Finding[] = []
  for (const { subject, detail, orphan } of differences(row, objects, check.now())) {
    if (orphan !== undefined && (await expected.isDoomed(orphan, folder))) continue
    const isFixed = fix && orphan !== undefined
    if (isFixed) await store.delete(orphan)
    findings.push({ subject, detail, isFixed })
  }
  return findings
}

interface Difference {
  readonly subject: string
  readonly detail: string
  /** Key of an object without a row. */
  readonly orphan?: string
}

function differences(
  row: ExpectedFolder | undefined,
  objects: readonly ListedObject[],
  now: number,
): Difference[] {
  const byKey = new Map(objects.map((object) => [object.key, object]))
  const found: Difference[] = []
  for (const { key, size, isRequired } of row?.objects ?? []) {
    const object = byKey.get(key)
    byKey.delete(key)
    const subject = row?.subject ?? ''
    if (!object && isRequired) found.push({ subject, detail: `has no object ${key}` })
    if (object && size !== null && object.size !== size)
      found.push({ subject, detail: `has ${size} bytes, but the object ${key} has ${object.size}` })
  }
  if (row?.isOpen) return found
  for (const { key, modifiedAt } of byKey.values())
    if (now - modifiedAt.getTime() > IN_FLIGHT_MS)
      found.push({ subject: `object ${key}`, detail: 'belongs to no row', orphan: key })
  return found
}

async function checkClips({ expected, store }: ObjectCheck): Promise<Finding[]> {
  const stored = new Set<string>()
  for await (const { key } of store.all(CLIPS)) stored.add(key)
  const missing = (await expected.clips()).filter((key) => !stored.has(key))
  // Clips without a row are kept: the next seed of the scripts replaces them.
  return missing.map((key) => ({ subject: `clip ${key}`, detail: 'has no object', isFixed: false }))
}

/** Groups consecutive objects by the first `depth` parts of their keys. */
async function* foldersOf(objects: AsyncIterable<ListedObject>, depth: number): AsyncGenerator<Listed, void> {
  let folder: string | undefined
  let group: ListedObject[] = []
  for await (const object of objects) {
    const parts = object.key.split('/')
    const of = parts.length > depth ? `${parts.slice(0, depth).join('/')}/` : object.key
    if (folder !== undefined && of !== folder) {
      yield { folder, objects: group }
      group = []
    }
    folder = of
    group.push(object)
  }
  if (folder !== undefined) yield { folder, objects: group }
}

async function* withoutPractice(folders: AsyncIterable<Listed>): AsyncGenerator<Listed, void> {
  for await (const listed of folders) if (listed.folder !== PRACTICE) yield listed
}
