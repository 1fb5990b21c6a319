import fc from 'fast-check'
import { expect, it } from 'vitest'
import { maskSecretPath } from './secret-path.ts'

const pattern = '/rooms/join/:token'

it.each([
  '/rooms/join/canary',
  '/rooms/join/canary/',
  '/rooms/%6aoin/canary',
  '/rooms/%256aoin/canary',
  '/rooms/Join/canary',
  '/ROOMS/JOIN/canary',
  '//rooms//join//canary',
  '/rooms/./join/canary',
  '/rooms/join%2Fcanary',
  '/rooms\\join\\canary',
  '/rooms/join;canary',
  '/rooms/join%00/canary',
])('masks a path with a secret by its route pattern: %s', (path) => {
  expect(maskSecretPath(path, [pattern])).toBe(pattern)
})

it.each(['/rooms', '/rooms/7/members', '/rooms/join', '/messages/7/%F0%9F%91%8D', '/%zz', '/', ''])(
  'leaves a path without a secret unchanged: %s',
  (path) => expect(maskSecretPath(path, [pattern])).toBe(path),
)

it('the path filter masks every spelling of a secret path by case and percent-encoding', () => {
  const spelled = fc
    .tuple(...[...'/rooms/join/'].map((letter) => fc.constantFrom(...spellings(letter))))
    .map((letters) => `${letters.join('')}canary`)
  fc.assert(fc.property(spelled, (path) => maskSecretPath(path, [pattern]) === pattern))
})

it('the path filter masks a path of 64 KB within 50 ms', () => {
  const path = `/${'rooms'.repeat(13_000)}`
  const began = performance.now()
  maskSecretPath(path, [pattern])
  expect(performance.now() - began).toBeLessThan(50)
})

function spellings(letter: string): string[] {
  const hex = letter.charCodeAt(0).toString(16)
  return [letter, letter.toUpperCase(), `%${hex}`, `%${hex.toUpperCase()}`, `%25${hex}`]
}
