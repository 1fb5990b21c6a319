import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'

export interface DoomedObject {
  readonly id: bigint
  /** Of one object, or with a slash at its end of all below it. */
  readonly objectKey: string
  /** Of an unfinished upload by parts. */
  readonly uploadId: string | null
}

/** Objects to delete from the object store, which takes part in no transaction. */
export class DoomedObjects {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  exist(): Promise<boolean> {
    return this.#mysql.has(Prisma.sql`SELECT 1 FROM doomed_objects`)
  }

  /** Returns objects scheduled for deletion, oldest first. */
  async list(limit: number): Promise<DoomedObject[]> {
    return this.#mysql.run('doomedObjects', (db) =>
      db.doomedObject.findMany({
        orderBy: { id: 'asc' },
        take: limit,
        select: { id: true, objectKey: true, uploadId: true },
      }),
    )
  }

  /** Records that an object has been deleted. */
  async remove(id: bigint): Promise<void> {
    await this.#mysql.run('undoomObjects', (db) => db.doomedObject.deleteMany({ where: { id } }))
  }
}
