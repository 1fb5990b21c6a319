import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip, createGzip } from 'node:zlib'
import mongoose, { type mongo } from 'mongoose'

const { EJSON } = mongoose.mongo.BSON
const BATCH = 500

interface Line {
  readonly collection: string
  readonly document: mongo.Document
}

/** Runs `work` with a database. */
export async function withDatabase<Result>(
  url: string,
  work: (db: mongo.Db) => Promise<Result>,
): Promise<Result> {
  const connection = await mongoose.createConnection(url).asPromise()
  try {
    return await work(connection.db!)
  } finally {
    await connection.close()
  }
}

/** Writes every document of a database to a file, in place of mongodump where that is not installed. */
export function dump(url: string, file: string): Promise<void> {
  return withDatabase(url, async (db) => {
    const output = createGzip()
    const written = once(output.pipe(createWriteStream(file)), 'finish')
    for (const { name: collection } of await db.listCollections().toArray())
      for await (const document of db.collection(collection).find())
        output.write(`${EJSON.stringify({ collection, document }, { relaxed: false })}\n`)
    output.end()
    await written
  })
}

/** Inserts every document of such a file into an empty database. chat-service creates the indexes. */
export function restore(url: string, file: string): Promise<void> {
  return withDatabase(url, async (db) => {
    const batches = new Map<string, mongo.Document[]>()
    const insert = async (collection: string, documents: mongo.Document[]) => {
      await db.collection(collection).insertMany(documents)
      batches.delete(collection)
    }
    const input = createReadStream(file).pipe(createGunzip())
    for await (const line of createInterface({ input })) {
      const { collection, document } = EJSON.parse(line, { relaxed: false }) as Line
      const batch = batches.get(collection) ?? []
      batches.set(collection, [...batch, document])
      if (batch.length + 1 === BATCH) await insert(collection, batches.get(collection)!)
    }
    for (const [collection, documents] of batches) await insert(collection, documents)
  })
}
