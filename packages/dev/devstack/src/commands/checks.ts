/** A check of `npm run lint`: a program that exits with 0 on success. Each counts as one test in `npm test`. */
export interface Check {
  name: string
  command: readonly [string, ...string[]]
  /** Skipped with a notice while this file does not exist. */
  needs?: string
}

/**
 * TypeScript 7, which is compiled to machine code, needs a quarter of the time; dependency-cruiser and typedoc use the
 * programming interface of TypeScript 6. Caches the compiler's results between runs; they are validated by content.
 */
const tsc = (project: string, cache: string) =>
  [
    'node',
    'node_modules/typescript-7/bin/tsc',
    '--noEmit',
    '--incremental',
    '--tsBuildInfoFile',
    `node_modules/.cache/${cache}.tsbuildinfo`,
    '-p',
    project,
  ] as const

/** Longest first, because one check runs per core. */
export const checks: readonly Check[] = [
  { name: 'types', command: tsc('.', 'types') },
  { name: 'regular expressions', command: ['node', 'scripts/check-regular-expressions.ts'] },
  {
    name: 'types of the web client',
    command: tsc('packages/web-client', 'types-of-web-client'),
    needs: 'packages/web-client/tsconfig.json',
  },
  {
    name: 'structure rules',
    command: ['depcruise', '--config', '.dependency-cruiser.cjs', 'packages', 'services', 'tests', 'scripts'],
  },
  { name: 'unused files, exports and dependencies', command: ['knip', '--no-progress'] },
  { name: 'format and lint', command: ['biome', 'ci', '--colors=off', '.'] },
  {
    name: 'types of the service worker',
    command: tsc('packages/web-client/tsconfig.worker.json', 'types-of-service-worker'),
    needs: 'packages/web-client/tsconfig.worker.json',
  },
  { name: 'generated documentation is up to date', command: ['node', 'scripts/generate-docs.ts', '--check'] },
  { name: 'links of the documentation', command: ['node', 'scripts/check-links.ts'] },
]
