import { expect, it } from 'vitest'
import { withTimeout } from './with-timeout.ts'

it('withTimeout settles like the promise, or rejects with the name of the late operation', async () => {
  await expect(withTimeout(Promise.resolve(1), 50, 'x')).resolves.toBe(1)
  await expect(withTimeout(Promise.reject(new Error('own')), 50, 'x')).rejects.toThrow('own')
  await expect(withTimeout(new Promise(() => undefined), 10, 'mysql')).rejects.toThrow('mysql within 10 ms')
})
