import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { Refusal } from './refusal.ts'
import type { CheckInput, Picture } from './tasks.ts'

/** 50 megapixels: more than phone cameras produce, and about 200 MB decoded. */
const MAX_PIXELS = 50_000_000
const MAX_ANIMATION_PIXELS = 100_000_000
const PREVIEW_WIDTH = 20
const SQUARE = 512
const thumbnails = [
  ['thumb_320', 320],
  ['thumb_1280', 1_280],
] as const

/**
 * Decodes and re-encodes an image, which removes EXIF location, comments and data behind the pixels, and
 * applies the orientation. Profile and room pictures become squares.
 * @throws Refusal IMAGE_TOO_LARGE, IMAGE_UNREADABLE
 */
export async function makePictures(input: CheckInput, folder: string) {
  const isAnimated = input.mime === 'image/gif' || input.mime === 'image/webp'
  const source = () =>
    sharp(input.file, {
      limitInputPixels: isAnimated ? MAX_ANIMATION_PIXELS : MAX_PIXELS,
      failOn: 'error',
      animated: isAnimated && input.purpose === 'attachment',
    }).rotate()
  try {
    await assertSize(input.file)
    switch (input.purpose) {
      case 'attachment':
        return await attachmentPictures(input, source, folder)
      case 'avatar':
      case 'room_picture':
        return await squarePicture(source(), folder)
      case 'document':
        return await rewrittenPicture(input, source(), folder)
    }
  } catch (err) {
    if (err instanceof Refusal) throw err
    throw new Refusal('IMAGE_UNREADABLE', 'The image is damaged or incomplete.')
  }
}

/** Checks the size in the header before decoding. */
async function assertSize(file: string): Promise<void> {
  const { width = 0, height = 0, pages = 1 } = await sharp(file, { limitInputPixels: false }).metadata()
  if (width * height > MAX_PIXELS || width * height * pages > MAX_ANIMATION_PIXELS)
    throw new Refusal('IMAGE_TOO_LARGE', `The image has too many pixels: ${width} x ${height}.`)
}

async function attachmentPictures(input: CheckInput, source: () => Sharp, folder: string) {
  const file = join(folder, 'original')
  const written = await encode(source(), input.mime).toFile(file)
  const height = written.pageHeight ?? written.height
  const pictures: Picture[] = [{ variant: 'original', file, mime: input.mime, size: written.size }]
  // Uses the first frame of the written image, which is already decoded safely and rotated.
  const first = () => sharp(file, { limitInputPixels: MAX_PIXELS })
  for (const [variant, side] of thumbnails) {
    const target = join(folder, variant)
    const { size } = await first()
      .resize(side, side, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 75 })
      .toFile(target)
    pictures.push({ variant, file: target, mime: 'image/webp', size })
  }
  return { width: written.width, height, preview: await previewOf(first()), pictures }
}

/** Returns only the rewritten original, because a document needs no thumbnails. */
async function rewrittenPicture(input: CheckInput, source: Sharp, folder: string) {
  const file = join(folder, 'original')
  const { width, height, size } = await encode(source, input.mime).toFile(file)
  const pictures: Picture[] = [{ variant: 'original', file, mime: input.mime, size }]
  return { width, height, preview: null, pictures }
}

async function squarePicture(source: Sharp, folder: string) {
  const file = join(folder, 'original')
  await source.resize(SQUARE, SQUARE, { fit: 'cover' }).webp({ quality: 82 }).toFile(file)
  const { size } = await stat(file)
  return {
    width: SQUARE,
    height: SQUARE,
    preview: await previewOf(sharp(file)),
    pictures: [{ variant: 'original' as const, file, mime: 'image/webp', size }],
  }
}

function encode(image: Sharp, mime: string): Sharp {
  switch (mime) {
    case 'image/png':
      return image.png()
    case 'image/webp':
      return image.webp({ quality: 88 })
    case 'image/gif':
      return image.gif()
    default:
      return image.jpeg({ quality: 88 })
  }
}

/** Returns a preview of about 150 bytes that clients scale up. */
async function previewOf(image: Sharp): Promise<string> {
  const bytes = await image
    .resize(PREVIEW_WIDTH, PREVIEW_WIDTH, { fit: 'inside' })
    .webp({ quality: 40, alphaQuality: 40 })
    .toBuffer()
  return `data:image/webp;base64,${bytes.toString('base64')}`
}
