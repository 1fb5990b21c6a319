import { describe, expect, it } from 'vitest'
import { isNewEnough } from './go.ts'

describe('the Go of the machine', () => {
  it.each([
    'go version go1.25 linux/amd64',
    'go version go1.26.8 linux/amd64',
    'go version go2.0 linux/arm64',
  ])('is used when it can build what we need: %s', (version) => expect(isNewEnough(version)).toBe(true))

  it.each(['go version go1.19.8 linux/amd64', 'go version go1.24.1 linux/amd64', 'go version devel', ''])(
    'is passed over when it is too old, or says nothing: "%s"',
    (version) => expect(isNewEnough(version)).toBe(false),
  )
})
