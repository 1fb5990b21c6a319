import { describe, expect, it } from 'vitest'
import { isNewEnough } from './go.ts'

describe('the Go of the machine', () => {
  it.each([
    'go version go1.25 linux/amd64',
    'go version go1.26.8 linux/amd64',
    'go version go2.0 linux/arm64',
  ])('accepts a sufficient version: %s', (version) => expect(isNewEnough(version)).toBe(true))

  it.each(['go version go1.19.8 linux/amd64', 'go version go1.24.1 linux/amd64', 'go version devel', ''])(
    'rejects an old or unknown version: "%s"',
    (version) => expect(isNewEnough(version)).toBe(false),
  )
})
