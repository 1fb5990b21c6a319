import { configDefaults, defineConfig } from 'vitest/config'

const exclude = [...configDefaults.exclude, '**/.devstack/**', '**/dist/**']

export default defineConfig({
  test: {
    projects: [
      // Beside the source, no server needed; and what is checked about the files of the operators and the layout.
      {
        test: {
          name: 'unit',
          include: ['**/src/**/*.test.ts', 'tests/{ops,structure}/**/*.test.ts'],
          exclude: [...exclude, '**/*.int.test.ts'],
        },
      },
      // Beside the source, against the real servers that BIGTECH_SERVERS_FILE names.
      {
        test: {
          name: 'integration',
          include: ['**/src/**/*.int.test.ts'],
          exclude,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      // Across services, against URLs.
      {
        test: {
          name: 'e2e',
          include: [
            'tests/{integration,e2e,chaos}/**/*.test.ts',
            'tests/ops/**/*.int.test.ts',
            'tests/gateway/running.test.ts',
          ],
          exclude,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
