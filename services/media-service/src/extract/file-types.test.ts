import { describe, expect, it } from 'vitest'
import { declaredType, extensionOf, fileTypes } from './file-types.ts'

describe('the type of a file', () => {
  it('the type of a file is accepted only when the extension and the declared type agree', () => {
    expect(declaredType('a.png', 'image/png')?.mime).toBe('image/png')
    expect(declaredType('A.JPEG', 'image/jpeg; charset=binary')?.mime).toBe('image/jpeg')
    expect(declaredType('a.png', 'image/jpeg')).toBeUndefined()
    expect(declaredType('voice.webm', 'audio/webm')?.kind).toBe('audio')
    expect(declaredType('clip.webm', 'video/webm')?.kind).toBe('video')
  })

  it('the type of a file follows the extension when the client declares no type', () => {
    expect(declaredType('계약서.pdf', 'application/octet-stream')?.mime).toBe('application/pdf')
    expect(declaredType('계약서.pdf', '')?.mime).toBe('application/pdf')
  })

  it('a type that a browser or a system would execute is rejected', () => {
    for (const [name, mime] of [
      ['a.svg', 'image/svg+xml'],
      ['a.html', 'text/html'],
      ['a.png.html', 'image/png'],
      ['a.exe', 'application/octet-stream'],
      ['a.js', 'text/javascript'],
      ['noextension', 'image/png'],
      ['.png', 'image/png'],
    ] as const)
      expect(declaredType(name, mime), name).toBeUndefined()
  })

  it('each pair of extension and type is listed once', () => {
    const pairs = fileTypes.flatMap(({ extensions, mime, aliases = [] }) =>
      extensions.flatMap((extension) => [mime, ...aliases].map((name) => `${extension} ${name}`)),
    )
    expect(new Set(pairs).size).toBe(pairs.length)
    expect(extensionOf('a.tar.GZ')).toBe('gz')
  })
})
