import { expect, it } from 'vitest'
import { chosenPicture, fileIdOfPicture, ownPictureUrl, pictureUrlOf } from './file-shapes.ts'

const id = '01926d6e-5a5e-7c3b-8f00-9d6c5e1a2b3c'

it.each([`/api/pictures/${id}`, `https://chat.example/api/pictures/${id}`, `/api/./pictures/${id}?size=1`])(
  'the picture URL %s leads to its file, regardless of the origin',
  (url) => {
    expect(fileIdOfPicture(url)).toBe(id)
    expect(ownPictureUrl.safeParse(url).success).toBe(true)
  },
)

it.each([
  'https://cdn.example.com/a.png',
  `https://cdn.example.com/${id}`,
  `https://cdn.example.com/x?/api/pictures/${id}`,
  `/api/pictures/${id}/../../files/${id}`,
  `/api/pictures/${'-'.repeat(36)}`,
  'javascript:alert(1)',
  '',
  'http://',
])('%s is not recognized as a picture uploaded here', (url) => {
  expect(fileIdOfPicture(url)).toBeUndefined()
  expect(ownPictureUrl.safeParse(url).success).toBe(false)
})

it('removing a picture is distinguished from keeping it', () => {
  expect(chosenPicture(undefined, undefined)).toBeUndefined()
  expect(chosenPicture(null, undefined)).toBe(null)
  expect(chosenPicture(undefined, null)).toBe(null)
  expect(chosenPicture(id, null)).toBe(id)
  expect(chosenPicture(null, pictureUrlOf(id))).toBe(id)
})
