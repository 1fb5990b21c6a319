import { defineConfig } from 'vitest/config'

/** For the gateway at BIGTECH_GATEWAY_URL; it needs echo servers behind it, so it is no part of the e2e run. */
export default defineConfig({
  cacheDir: '../../node_modules/.vite',
  test: {
    root: import.meta.dirname,
    include: ['gateway.test.ts'],
    testTimeout: 60_000,
    fileParallelism: false,
  },
})
