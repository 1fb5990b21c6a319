import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

export default defineConfig({
  resolve: {
    alias: { '@bigtech/contracts': fileURLToPath(new URL('src/core/contracts.ts', import.meta.url)) },
  },
  build: {
    target: 'es2024',
    modulePreload: { polyfill: false },
    // The gateway forbids inline scripts and styles.
    assetsInlineLimit: 0,
    // React libraries mark client code with "use client", which means nothing here.
    rolldownOptions: {
      checks: { moduleLevelDirective: false },
      input: ['index.html', 'api/docs.html', 'src/service-worker.ts'],
      output: {
        // A service worker reaches only what lies below its own address, which must stay the same.
        entryFileNames: ({ name }) => (name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: { proxy: { '/api': 'http://localhost:8000' } },
})
