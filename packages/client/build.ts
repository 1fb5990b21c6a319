import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import ts from 'typescript'
import { build } from 'vite'

const usage = `Builds the package as it is published: ESM, declarations, no workspace dependencies.

  node packages/client/build.ts [folder]     (default: packages/client/dist)
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', short: 'h' } },
})
if (values.help) {
  console.log(usage)
  process.exit(0)
}

const root = import.meta.dirname
const outDir = positionals[0] ?? join(root, 'dist')

const result = await build({
  root,
  configFile: false,
  logLevel: 'warn',
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    minify: false,
    lib: { entry: join(root, 'src/sdk.ts'), formats: ['es'] },
    rolldownOptions: {
      external: ['eventsource-parser'],
      // One file per module, so that bundlers can omit unused ones.
      output: { preserveModules: true, preserveModulesRoot: join(root, 'src'), entryFileNames: '[name].js' },
    },
  },
})
if (!Array.isArray(result)) throw new Error('vite watches')

const sources = result
  .flatMap(({ output }) => output)
  .flatMap((file) => (file.type === 'chunk' ? Object.keys(file.modules) : []))
const own = [...sources, join(root, 'src/operation.ts'), join(root, 'src/sdk.ts')].filter((file) =>
  file.startsWith(join(root, 'src')),
)
mkdirSync(outDir, { recursive: true })
for (const file of new Set(own)) {
  const { outputText, diagnostics } = ts.transpileDeclaration(readFileSync(file, 'utf8'), {
    fileName: file,
    reportDiagnostics: true,
    compilerOptions: { isolatedDeclarations: true, declaration: true, target: ts.ScriptTarget.ES2022 },
  })
  if (diagnostics?.length) {
    console.error(ts.formatDiagnostics(diagnostics, formatHost()))
    process.exit(1)
  }
  const declaration = outputText
    .replace(/(from ['"]\.\/[^'"]+)\.ts(['"])/g, '$1.js$2')
    // The compiler declares such a method twice, once as a property.
    .replace(/^ *\[Symbol\.asyncIterator\]: .*\n/m, '')
  writeFileSync(join(outDir, `${basename(file, '.ts')}.d.ts`), declaration)
}

const terminal = readFileSync(join(root, 'examples/terminal.ts'), 'utf8')
const { outputText } = ts.transpileModule(terminal, {
  compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
})
writeFileSync(join(outDir, 'terminal.js'), outputText)

interface Manifest {
  version: string
  description: string
}
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
const parser = JSON.parse(
  readFileSync(join(root, 'node_modules/eventsource-parser/package.json'), 'utf8'),
) as Manifest
writeFileSync(
  join(outDir, 'package.json'),
  `${JSON.stringify(
    {
      name: '@bigtech/client',
      version: manifest.version,
      description: manifest.description,
      license: 'MIT',
      type: 'module',
      sideEffects: false,
      engines: { node: '>=20' },
      bin: { 'bigtech-chat': './terminal.js' },
      exports: { '.': { types: './sdk.d.ts', default: './sdk.js' } },
      dependencies: { 'eventsource-parser': `^${parser.version}` },
    },
    null,
    2,
  )}\n`,
)
writeFileSync(join(outDir, 'README.md'), readFileSync(join(root, 'README.md')))

function formatHost(): ts.FormatDiagnosticsHost {
  return { getCanonicalFileName: (name) => name, getCurrentDirectory: () => root, getNewLine: () => '\n' }
}
