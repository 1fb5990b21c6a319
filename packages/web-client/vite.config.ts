import { defineConfig } from 'vite'

export default defineConfig({
  // The gateway forbids inline scripts and styles.
  build: { target: 'es2022', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  server: { proxy: { '/api': 'http://localhost:8000' } },
})
