import { expect, it } from 'vitest'
import { wavOf } from './wav.ts'

it('the WAV encoder writes samples as 16-bit mono WAV and clips those that are too loud', () => {
  const bytes = new DataView(wavOf(new Float32Array([0, 1, -1, 2]), 16_000))
  const text = (from: number, to: number) => new TextDecoder().decode(bytes.buffer.slice(from, to))
  expect(text(0, 4)).toBe('RIFF')
  expect(bytes.getUint32(4, true)).toBe(bytes.byteLength - 8)
  expect(text(8, 16)).toBe('WAVEfmt ')
  expect(bytes.getUint32(24, true)).toBe(16_000)
  expect(bytes.getUint32(40, true)).toBe(8)
  expect([0, 2, 4, 6].map((at) => bytes.getInt16(44 + at, true))).toEqual([0, 32_767, -32_767, 32_767])
})
