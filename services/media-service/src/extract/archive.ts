import { type Entry, open, type ZipFile } from 'yauzl'
import { Refusal } from './refusal.ts'

const MAX_ENTRIES = 5_000
const MAX_TOTAL_BYTES = 500 * 2 ** 20
/** Small files may compress extremely well; only large ones are suspicious. */
const SUSPICIOUS_BYTES = 2 ** 20
const MAX_RATIO = 200

/**
 * Checks the central directory of a zip archive without unpacking it.
 * @param proof pattern of a required entry
 * @throws Refusal ARCHIVE_UNSAFE for a zip bomb or path traversal; TYPE_MISMATCH without the required entry
 */
export async function checkArchive(file: string, proof: RegExp): Promise<void> {
  const archive = await openArchive(file)
  try {
    let entries = 0
    let total = 0
    let isProven = false
    for await (const entry of entriesOf(archive)) {
      entries += 1
      total += entry.uncompressedSize
      isProven ||= proof.test(entry.fileName)
      const ratio = entry.uncompressedSize / Math.max(1, entry.compressedSize)
      if (entries > MAX_ENTRIES) throw unsafe(`more than ${MAX_ENTRIES} entries`)
      if (total > MAX_TOTAL_BYTES) throw unsafe('more than 500 MB when unpacked')
      if (entry.uncompressedSize > SUSPICIOUS_BYTES && ratio > MAX_RATIO)
        throw unsafe(`an entry grows ${Math.round(ratio)} times when unpacked`)
    }
    if (!isProven) throw new Refusal('TYPE_MISMATCH', 'The archive is not a document of this type.')
  } finally {
    archive.close()
  }
}

const unsafe = (why: string) => new Refusal('ARCHIVE_UNSAFE', `The archive is not safe: ${why}.`)

function openArchive(file: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    open(file, { lazyEntries: true, autoClose: false, strictFileNames: true }, (err, archive) => {
      if (err) reject(new Refusal('DOCUMENT_UNREADABLE', 'The archive cannot be read.'))
      else resolve(archive)
    })
  })
}

/** Iterates entries one at a time: a directory of millions is not read completely. */
async function* entriesOf(archive: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const next = new Promise<Entry | undefined>((resolve, reject) => {
      archive.once('entry', resolve)
      archive.once('end', () => resolve(undefined))
      archive.once('error', () => reject(unsafe('its directory is broken')))
      archive.readEntry()
    })
    const entry = await next.finally(() => archive.removeAllListeners())
    if (!entry) return
    yield entry
  }
}
