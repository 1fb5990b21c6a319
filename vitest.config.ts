import { defineConfig } from 'vitest/config'

const seconds = (count: number) => count * 1_000

/** `unit` needs nothing; `integration` the real servers; `e2e` the running stack (see packages/devstack). */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{packages,services}/*/src/**/*.test.ts', 'tests/structure/**/*.test.ts'],
          exclude: ['**/*.int.test.ts', '**/node_modules/**'],
          testTimeout: seconds(20),
        },
      },
      {
        test: {
          name: 'integration',
          include: ['{packages,services}/*/src/**/*.int.test.ts'],
          testTimeout: seconds(60),
          hookTimeout: seconds(60),
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['tests/{e2e,integration,gateway,ops}/**/*.test.ts'],
          testTimeout: seconds(60),
          hookTimeout: seconds(60),
          // They share one running stack, and some stop parts of it.
          fileParallelism: false,
        },
      },
    ],
  },
})
