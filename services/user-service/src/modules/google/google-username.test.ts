import { username } from '@bigtech/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { usernameCandidates } from './google-username.ts'

describe('usernames derived from a name', () => {
  it('usernames derived from a name begin with the name itself and offer alternatives', () => {
    expect(usernameCandidates('김 민지')[0]).toBe('김민지')
    expect(usernameCandidates('X')[0]).not.toBe('X')
    expect(new Set(usernameCandidates('Minji')).size).toBeGreaterThan(10)
  })

  it('usernames derived from any name follow the username rules', () => {
    fc.assert(
      fc.property(fc.option(fc.string({ unit: 'binary' }), { nil: undefined }), (name) => {
        for (const candidate of usernameCandidates(name)) expect(username.parse(candidate)).toBe(candidate)
      }),
    )
  })
})
