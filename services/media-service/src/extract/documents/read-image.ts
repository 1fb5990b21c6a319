import { copyFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { createWorker, OEM, PSM } from 'tesseract.js'
import { Refusal } from '../refusal.ts'
import type { Reading } from './extraction.ts'
import { linesOf, tablesOf, type Word } from './layout.ts'

const require = createRequire(import.meta.url)
const languages = ['kor', 'eng'] as const
const VARIANT = '4.0.0_best_int'
const MAX_PIXELS = 50_000_000
/** Larger images yield no better text at 200 dpi of A4, and cost time. */
const MAX_SIDE = 3_600

/** Reads Korean and English text of an image; writes temporary files beside it. @throws Refusal IMAGE_UNREADABLE */
export async function readImage(file: string): Promise<Reading> {
  const image = await prepare(file)
  const langPath = dirname(file)
  await Promise.all(languages.map((language) => provideLanguage(language, langPath)))
  const options = { langPath, cacheMethod: 'none' }
  const worker = await createWorker([...languages], OEM.LSTM_ONLY, options)
  try {
    await worker.setParameters({
      tessedit_pageseg_mode: PSM.SINGLE_BLOCK,
      preserve_interword_spaces: '1',
      user_defined_dpi: '200',
    })
    const { data } = await worker.recognize(image, {}, { text: true, blocks: true })
    const text = data.text.trim()
    const words = (data.blocks ?? []).flatMap(({ paragraphs }) =>
      paragraphs.flatMap(({ lines }) => lines.flatMap((line) => line.words.map(wordOf))),
    )
    return {
      pagesTotal: 1,
      pages: [{ page: 1, name: null, text }],
      tables: tablesOf(linesOf(words)).map((rows) => ({ page: 1, name: null, rows })),
      warnings: text === '' ? ['No text was found in the image.'] : [],
    }
  } finally {
    await worker.terminate()
  }
}

function wordOf({
  text,
  bbox: { x0, x1, y0, y1 },
}: {
  text: string
  bbox: { x0: number; x1: number; y0: number; y1: number }
}): Word {
  return { x: x0, right: x1, y: -(y0 + y1) / 2, height: y1 - y0, text }
}

/** Links a language's data, a separate package, into the common directory required by the engine. */
async function provideLanguage(code: string, folder: string): Promise<void> {
  const source = dirname(require.resolve(`@tesseract.js-data/${code}/package.json`))
  const name = `${code}.traineddata.gz`
  await copyFile(join(source, VARIANT, name), join(folder, name))
}

async function prepare(file: string): Promise<Buffer> {
  try {
    return await sharp(file, { limitInputPixels: MAX_PIXELS, failOn: 'error' })
      .rotate()
      .flatten({ background: '#fff' })
      .resize(MAX_SIDE, MAX_SIDE, { fit: 'inside', withoutEnlargement: true })
      .greyscale()
      .png()
      .toBuffer()
  } catch {
    throw new Refusal('IMAGE_UNREADABLE', 'The image is damaged or incomplete.')
  }
}
