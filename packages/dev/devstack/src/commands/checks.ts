/** A check of `npm run lint`: a program that ends with 0 when all is well. Each counts as one test in `npm test`. */
export interface Check {
  name: string
  command: readonly [string, ...string[]]
  /** Skipped with a notice while this file does not exist. */
  needs?: string
}

export const checks: readonly Check[] = [
  { name: 'format and lint', command: ['biome', 'ci', '--colors=off', '.'] },
  { name: 'regular expressions', command: ['node', 'scripts/check-regular-expressions.ts'] },
  { name: 'types', command: ['tsc', '--noEmit', '-p', '.'] },
  {
    name: 'types of the web client',
    command: ['tsc', '--noEmit', '-p', 'packages/web-client'],
    needs: 'packages/web-client/tsconfig.json',
  },
  {
    name: 'types of its service worker',
    command: ['tsc', '--noEmit', '-p', 'packages/web-client/tsconfig.worker.json'],
    needs: 'packages/web-client/tsconfig.worker.json',
  },
  {
    name: 'structure rules',
    command: ['depcruise', '--config', '.dependency-cruiser.cjs', 'packages', 'services', 'tests', 'scripts'],
  },
  { name: 'unused files, exports and dependencies', command: ['knip', '--no-progress'] },
  { name: 'links of the documentation', command: ['node', 'scripts/check-links.ts'] },
  { name: 'documentation says what the code does', command: ['node', 'scripts/generate-docs.ts', '--check'] },
]
