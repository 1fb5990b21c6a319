import { expect, it } from 'vitest'
import { wavOf } from './wav.ts'

it('writes samples as 16-bit mono WAV and clips those that are too loud', () => {
  const bytes = Buffer.from(wavOf(new Float32Array([0, 1, -1, 2]), 16_000))
  expect(bytes.toString('latin1', 0, 4)).toBe('RIFF')
  expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8)
  expect(bytes.toString('latin1', 8, 16)).toBe('WAVEfmt ')
  expect(bytes.readUInt32LE(24)).toBe(16_000)
  expect(bytes.readUInt32LE(40)).toBe(8)
  expect([0, 2, 4, 6].map((at) => bytes.readInt16LE(44 + at))).toEqual([0, 32_767, -32_767, 32_767])
})
