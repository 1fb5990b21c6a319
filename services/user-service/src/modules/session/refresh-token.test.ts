import { uuidv7 } from '@bigtech/contracts'
import { describe, expect, it } from 'vitest'
import {
  hashRefreshToken,
  isGenuine,
  issueRefreshToken,
  newFamilyKey,
  openSuccessor,
  readRefreshToken,
  sealSuccessor,
} from './refresh-token.ts'

const sessionId = uuidv7()
const key = newFamilyKey()

describe('a refresh token', () => {
  it('a refresh token contains its session and never repeats', () => {
    const tokens = Array.from({ length: 100 }, () => issueRefreshToken(sessionId, key))
    for (const { text } of tokens) expect(readRefreshToken(text)).toEqual({ text, sessionId })
    expect(new Set(tokens.map(({ text }) => text)).size).toBe(100)
  })

  it('a refresh token is authentic for its own session only', () => {
    const token = issueRefreshToken(sessionId, key)
    expect(isGenuine(token, key)).toBe(true)
    expect(isGenuine(token, newFamilyKey())).toBe(false)
  })

  it('a refresh token is not authentic after changing one bit', () => {
    const { text } = issueRefreshToken(sessionId, key)
    const bytes = Buffer.from(text, 'base64url')
    for (let index = 0; index < bytes.length; index++) {
      const changed = Buffer.from(bytes)
      changed[index] = changed[index]! ^ 1
      expect(isGenuine({ text: changed.toString('base64url'), sessionId }, key)).toBe(false)
    }
  })

  it.each(['', 'x', 'x'.repeat(85), 'x'.repeat(87), `${'x'.repeat(85)}=`, `${'x'.repeat(85)}é`])(
    'a refresh token is not parsed from %j',
    (text) => {
      expect(readRefreshToken(text)).toBeUndefined()
    },
  )
})

describe('a sealed successor', () => {
  const [previous, successor] = [issueRefreshToken(sessionId, key), issueRefreshToken(sessionId, key)]

  it('a sealed successor opens with the previous token only', () => {
    const box = sealSuccessor(successor, previous)
    expect(openSuccessor(box, previous)).toEqual(successor)
    expect(() => openSuccessor(box, successor)).toThrow()
    expect(() => openSuccessor(box, issueRefreshToken(sessionId, key))).toThrow()
  })

  it('a sealed successor cannot be opened with stored data', () => {
    const box = sealSuccessor(successor, previous)
    const stored = { text: Buffer.from(hashRefreshToken(previous)).toString('base64url'), sessionId }
    expect(() => openSuccessor(box, stored)).toThrow()
  })
})
