import { pages } from '@bigtech/service-kit'
import { documentOutputs } from '../../extract/tasks.ts'
import type { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'
import { outputKey } from '../documents/document.ts'
import { type FileVariant, folderOf, uploadKey } from '../files/file.ts'
import { recordingFolder } from '../practice/take.ts'

const PAGE = 500

interface ExpectedObject {
  readonly key: string
  /** Null: any size. */
  readonly size: number | null
  readonly isRequired: boolean
}

/** The objects of a row, all below one folder of the store. */
export interface ExpectedFolder {
  readonly folder: string
  /** The row, for example `file 0190...`. */
  readonly subject: string
  readonly objects: readonly ExpectedObject[]
  /** A job or an upload is still writing to the folder. */
  readonly isOpen: boolean
}

const fileFields = {
  id: true,
  state: true,
  objectKey: true,
  sizeBytes: true,
  variants: true,
  document: { select: { state: true } },
} as const satisfies Prisma.FileSelect
type FileRow = Prisma.FileGetPayload<{ select: typeof fileFields }>
type TakeRow = { id: string; objectKey: string; sizeBytes: bigint }

/** Reads which objects the rows of files, recordings and clips require. */
export class ExpectedObjects {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  /** Iterates the folders of all files by id. */
  async *files(): AsyncGenerator<ExpectedFolder, void> {
    const next = (last: FileRow | undefined) => this.#files({ id: { gt: last?.id ?? '' } })
    for await (const row of pages<FileRow>(next)) yield folderOfFile(row)
  }

  /** Iterates the folders of all recordings by id. */
  async *recordings(): AsyncGenerator<ExpectedFolder, void> {
    const next = (last: TakeRow | undefined) => this.#takes({ id: { gt: last?.id ?? '' } })
    for await (const row of pages<TakeRow>(next)) yield folderOfTake(row)
  }

  /** Returns the keys of the clips of all scripts. */
  async clips(): Promise<string[]> {
    const rows = await this.#mysql.run('clipKeys', (db) =>
      db.scriptToken.findMany({ select: { clipKey: true } }),
    )
    return rows.map(({ clipKey }) => clipKey)
  }

  /** Reads one folder again; undefined when its row is gone. */
  async read(folder: string): Promise<ExpectedFolder | undefined> {
    const id = folder.split('/').at(-2) ?? ''
    if (folder === folderOf(id)) {
      const [row] = await this.#files({ id })
      return row && folderOfFile(row)
    }
    const [row] = await this.#takes({ id })
    return row && folderOfTake(row)
  }

  /** Returns whether the sweep will delete the object. */
  async isDoomed(key: string, folder: string): Promise<boolean> {
    const objectKey = { in: [key, folder] }
    return (await this.#mysql.run('isDoomed', (db) => db.doomedObject.count({ where: { objectKey } }))) > 0
  }

  #files(where: Prisma.FileWhereInput): Promise<FileRow[]> {
    const query = { where, orderBy: { id: 'asc' }, take: PAGE, select: fileFields } as const
    return this.#mysql.run('expectedFiles', (db) => db.file.findMany(query))
  }

  #takes(where: Prisma.TakeWhereInput): Promise<TakeRow[]> {
    const select = { id: true, objectKey: true, sizeBytes: true }
    return this.#mysql.run('expectedTakes', (db) =>
      db.take.findMany({ where, orderBy: { id: 'asc' }, take: PAGE, select }),
    )
  }
}

function folderOfFile({ id, state, objectKey, sizeBytes, variants, document }: FileRow): ExpectedFolder {
  const common = { folder: folderOf(id), subject: `file ${id}` }
  if (state === 'uploading') return { ...common, objects: [], isOpen: true }
  if (state === 'refused') return { ...common, objects: [], isOpen: false }
  const size = Number(sizeBytes)
  if (state === 'checking')
    return { ...common, objects: [{ key: uploadKey(id), size, isRequired: true }], isOpen: true }
  const others = (variants.split(',') as FileVariant[]).filter((name) => name !== 'original')
  const outputs = document === null ? [] : Object.keys(documentOutputs)
  return {
    ...common,
    objects: [
      { key: objectKey, size, isRequired: true },
      ...others.map((name) => ({ key: `${id}/${name}`, size: null, isRequired: true })),
      ...outputs.map((name) => ({
        key: outputKey(id, name),
        size: null,
        isRequired: document?.state === 'completed',
      })),
    ],
    isOpen: false,
  }
}

function folderOfTake({ id, objectKey, sizeBytes }: TakeRow): ExpectedFolder {
  return {
    folder: recordingFolder(id),
    subject: `recording ${id}`,
    objects: [{ key: objectKey, size: Number(sizeBytes), isRequired: true }],
    isOpen: false,
  }
}
