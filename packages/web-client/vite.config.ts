import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

interface Bundle {
  getModuleInfo(id: string): { importedIds: readonly string[] } | null
}

/** The modules that an entry imports, but for what it loads later. */
function importedBy(bundle: Bundle, entry: string): Set<string> {
  const found = new Set([fileURLToPath(new URL(`src/${entry}`, import.meta.url))])
  for (const id of found)
    for (const imported of bundle.getModuleInfo(id)?.importedIds ?? []) found.add(imported)
  return found
}

let parts: { shell: Set<string>; chat: Set<string> } | undefined

/** What every visitor needs, or what the signed-in app imports. Many small files would compress worse. */
function isIn(part: 'shell' | 'chat', id: string, bundle: Bundle): boolean {
  // Only sending a file needs it, which the package's index does not tell.
  if (id.endsWith('/client/src/upload.ts')) return false
  if (!parts) {
    const chat = importedBy(bundle, 'chat-app.tsx')
    const shared = importedBy(bundle, 'auth/sign-in-page.tsx').intersection(chat)
    const shell = importedBy(bundle, 'main.tsx').union(shared)
    parts = { shell, chat: chat.difference(shell) }
  }
  return parts[part].has(id)
}

const group = (part: 'shell' | 'chat', minShareCount: number) => ({
  name: (id: string, bundle: Bundle) => (isIn(part, id, bundle) ? part : null),
  debugName: part,
  minShareCount,
  includeDependenciesRecursively: false,
})

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
      // Of a package's index only what is imported: the icons alone are two thousand modules.
      experimental: { lazyBarrel: true },
      checks: { moduleLevelDirective: false },
      input: ['index.html', 'api/docs.html', 'src/service-worker.ts'],
      output: {
        // Of the app, only what its pages share with it: chunks must not import each other in a circle.
        codeSplitting: { groups: [group('shell', 1), group('chat', 2)] },
        // A service worker reaches only what lies below its own address, which must stay the same.
        entryFileNames: ({ name }) => (name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: { proxy: { '/api': 'http://localhost:8000' } },
})
