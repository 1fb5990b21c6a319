import { configDefaults, defineConfig } from 'vitest/config'

const exclude = [...configDefaults.exclude, '**/.devstack/**', '**/dist/**']

/** They stop processes of the stack, measure time, or count what the whole system does. */
const alone = [
  'tests/chaos/**/*.test.ts',
  'tests/e2e/at-once.test.ts',
  'tests/e2e/browser/{budgets,resilience}.test.ts',
  'tests/e2e/main-path.test.ts',
  'tests/integration/{hostile-cost,outages,replay}.test.ts',
]

/** The files of a worker share their modules: to load them anew for each takes as long as the tests. */
const isolate = false

/** Integration tests mostly wait for servers: two workers leave half of two cores idle; with six, tests miss deadlines. */
const beside = { maxWorkers: 4, isolate, sequence: { groupOrder: 0 } }

export default defineConfig({
  test: {
    // `npm run coverage`: what unit and integration tests run of the product. The web client is covered in a browser.
    coverage: {
      provider: 'v8',
      include: ['services/*/src/**/*.ts', 'packages/*/src/**/*.ts'],
      exclude: ['**/generated/**', 'packages/web-client/**'],
      reporter: ['text-summary', 'html', 'json-summary'],
      reportsDirectory: 'coverage',
      reportOnFailure: true,
      // The floor, in percent. `npm run coverage` raises it here to a point below what it reaches: commit that.
      thresholds: {
        statements: 89,
        branches: 80,
        functions: 90,
        lines: 91,
        autoUpdate: (reached, floor) => Math.max(floor, Math.floor(reached) - 1),
      },
    },
    projects: [
      // Beside the source, no server needed; and what is checked about the files of the operators and the layout.
      {
        test: {
          name: 'unit',
          include: ['**/src/**/*.test.ts', 'tests/{load,ops,release,structure}/**/*.test.ts'],
          exclude: [...exclude, '**/*.int.test.ts'],
          // Twice as many workers as cores: a test that computes for seconds takes twice as long.
          testTimeout: 20_000,
          ...beside,
        },
      },
      // Beside the source, against the real servers that BIGTECH_SERVERS_FILE names.
      {
        test: {
          name: 'integration',
          include: ['**/src/**/*.int.test.ts'],
          exclude,
          globalSetup: 'packages/dev/testkit/src/global-setup.ts',
          testTimeout: 30_000,
          hookTimeout: 60_000,
          ...beside,
        },
      },
      // `npm run images`: lays out each image, which takes a minute.
      { test: { name: 'images', include: ['tests/images/**/*.test.ts'], exclude } },
      // Across services, against URLs.
      {
        test: {
          name: 'e2e',
          include: [
            'tests/{integration,e2e}/**/*.test.ts',
            'tests/ops/**/*.int.test.ts',
            'tests/gateway/running.test.ts',
          ],
          exclude: [...exclude, ...alone],
          setupFiles: 'tests/e2e/browser/failed-pages.ts',
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          isolate,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e-alone',
          include: alone,
          exclude,
          setupFiles: 'tests/e2e/browser/failed-pages.ts',
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          isolate,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
