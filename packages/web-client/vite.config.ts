import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

interface Bundle {
  getModuleInfo(id: string): { importedIds: readonly string[] } | null
}

/** Returns the modules statically imported by an entry. */
function importedBy(bundle: Bundle, entry: string): Set<string> {
  const found = new Set([fileURLToPath(new URL(`src/${entry}`, import.meta.url))])
  for (const id of found)
    for (const imported of bundle.getModuleInfo(id)?.importedIds ?? []) found.add(imported)
  return found
}

let parts: { shell: Set<string>; chat: Set<string> } | undefined

/**
 * Assigns modules to shared chunks: for every visitor, or for the signed-in app. Many small files would
 * compress worse.
 */
function isIn(part: 'shell' | 'chat', id: string, bundle: Bundle): boolean {
  // Only sending a file needs it, which the package's index does not show.
  if (id.endsWith('/client/src/upload.ts')) return false
  // The package's index imports every icon, also those of pages that are not open.
  if (id.includes('/lucide-react/dist/esm/icons/')) return false
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
    // React libraries mark client code with "use client", which is irrelevant here.
    rolldownOptions: {
      // Includes only the imported parts of a package's index: the icon package has two thousand modules.
      experimental: { lazyBarrel: true },
      checks: { moduleLevelDirective: false },
      input: ['index.html', 'api/docs.html', 'src/service-worker.ts'],
      output: {
        // Only modules shared by the app's pages: chunks must not import each other in a cycle.
        codeSplitting: { groups: [group('shell', 1), group('chat', 2)] },
        // A service worker controls only paths below its own address, which must not change.
        entryFileNames: ({ name }) => (name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: { proxy: { '/api': 'http://localhost:8000' } },
})
