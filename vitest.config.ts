import { configDefaults, defineConfig } from 'vitest/config'

const exclude = [...configDefaults.exclude, '**/.devstack/**', '**/dist/**']

export default defineConfig({
  test: {
    projects: [
      // Beside the source, no server needed.
      {
        test: { name: 'unit', include: ['**/src/**/*.test.ts'], exclude: [...exclude, '**/*.int.test.ts'] },
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
          include: ['tests/{integration,e2e,chaos}/**/*.test.ts'],
          exclude,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
