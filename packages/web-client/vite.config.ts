import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

export default defineConfig({
  resolve: {
    alias: { zod: fileURLToPath(new URL('src/core/zod-without-checks.ts', import.meta.url)) },
  },
  build: {
    target: 'es2024',
    modulePreload: { polyfill: false },
    // The gateway forbids inline scripts and styles.
    assetsInlineLimit: 0,
    // React libraries mark client code with "use client", which means nothing here.
    rolldownOptions: {
      checks: { moduleLevelDirective: false },
      // Contracts of operations that the page does not call stay out of it.
      treeshake: {
        manualPureFunctions: ['z', 'defineRoute', 'defineEvent', 'pageOf', 'idList', 'wholeNumber'],
      },
      input: ['index.html', 'api/docs.html', 'src/service-worker.ts'],
      output: {
        // A service worker reaches only what lies below its own address, which must stay the same.
        entryFileNames: ({ name }) => (name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: { proxy: { '/api': 'http://localhost:8000' } },
})
