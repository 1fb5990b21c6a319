import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'
import { type Plugin, rolldown } from 'rolldown'

const usage = `Usage: node infrastructure/docker/images/bundle.ts FOLDER
Writes each process of a service, with its packages, into one JavaScript file: src/server.ts becomes dist/server.js
(docs/adr/0035-one-file-per-process.md). dist/compiled is Node's cache of its compiled code, valid for the same Node,
options and user.

    node infrastructure/docker/images/bundle.ts services/media-service     dist/web.js and dist/worker.js`

const ENTRIES = ['src/server.ts', 'src/web.ts', 'src/worker.ts']

/** Packages that tracing patches when they are loaded. */
const PATCHED = ['ioredis', 'mariadb', 'mongodb', 'mongoose']
/** Packages that read files of their own folder: binaries, workers, pages. */
const READING = [
  ...[
    '@fastify/swagger',
    '@fastify/swagger-ui',
    'bcrypt',
    'kafkajs',
    'pdfkit',
    'pino',
    'pino-roll',
    'piscina',
  ],
  ...['sharp', 'tesseract.js', 'thread-stream', 'unpdf'],
]
const SEPARATE = new Set([...PATCHED, ...READING])

const WASM_FILE = 'query-compiler.wasm'

const READS_FILES = /\b__dirname\b|\bimport\.meta\b/

/** Imports the packages of `SEPARATE` by path: packages of packages are not visible from the bundle's folder. */
const separatePackages: Plugin = {
  name: 'separate packages',
  resolveId: {
    order: 'pre',
    async handler(source, importer, options) {
      const name = /^(@[^/]+\/)?[^./@][^/]*/.exec(source)?.[0]
      if (!name || !SEPARATE.has(name)) return
      const resolved = await this.resolve(source, importer, { ...options, skipSelf: true })
      return resolved && { ...resolved, external: 'absolute' }
    },
  },
}

/**
 * Keeps the addresses of our modules, which find pages, threads and child processes beside their source. Refuses
 * packages that do the same: they belong to `SEPARATE`.
 */
const ownAddresses = (target: string): Plugin => ({
  name: 'own addresses',
  transform(code, id) {
    if (!READS_FILES.test(code)) return
    if (id.includes('node_modules'))
      throw new Error(`${id} reads files of its folder: add its package to SEPARATE`)
    const path = relative(target, id).split(sep).join('/')
    return code
      .replaceAll('import.meta.url', `(new URL(${JSON.stringify(path)}, import.meta.url).href)`)
      .replaceAll('import.meta.main', 'false')
  },
})

/** Stores Prisma's WebAssembly in a file: as text in the bundle, it would stay in memory twice (4 MB). */
const binaryWasm: Plugin = {
  name: 'binary wasm',
  transform(code, id) {
    const text = id.endsWith('.wasm-base64.mjs') && /"([A-Za-z0-9+/=]+)"/.exec(code)?.[1]
    if (!text) return
    this.emitFile({ type: 'asset', fileName: WASM_FILE, source: Buffer.from(text, 'base64') })
    return `import { readFileSync } from 'node:fs'
      export const wasm = readFileSync(new URL('./${WASM_FILE}', import.meta.url))`
  },
}

/**
 * Bundles the processes of the service in `folder` into files of `target`, and caches their compiled code.
 *
 * @returns the paths of the files
 * @throws Error if a package reads files of its own folder and is bundled
 */
export async function bundleService(folder: string, target = join(folder, 'dist')): Promise<string[]> {
  const entries = ENTRIES.filter((entry) => existsSync(join(folder, entry)))
  return Promise.all(
    entries.map(async (entry) => {
      const file = join(target, `${basename(entry, '.ts')}.js`)
      const build = await rolldown({
        input: join(folder, entry),
        platform: 'node',
        plugins: [separatePackages, ownAddresses(target), binaryWasm],
      })
      await build.write({
        file,
        codeSplitting: false,
        comments: false,
        // V8 stores two bytes per character if one of them needs it.
        charset: 'ascii',
        // Names remain, for stack traces.
        minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
      })
      await build.close()
      compile(folder, file)
      return file
    }),
  )
}

/** Without settings a process ends after it has loaded all its modules; at its end Node writes the cache. */
function compile(folder: string, file: string): void {
  const { stderr } = spawnSync(process.execPath, ['--import', '@bigtech/service-kit/tracing', file], {
    cwd: folder,
    env: { NODE_OPTIONS: process.env.NODE_OPTIONS, NODE_COMPILE_CACHE: compiledCode(dirname(file)) },
    encoding: 'utf8',
  })
  if (!stderr.includes('is not set'))
    throw new Error(`${file} does not load:
${stderr}`)
}

/** Returns the value of NODE_COMPILE_CACHE for the bundles of a folder. */
export const compiledCode = (target: string): string => join(target, 'compiled')

/** Runs the command. Returns the exit code. */
async function main(): Promise<number> {
  let args: ReturnType<typeof readArguments>
  try {
    args = readArguments()
  } catch (error) {
    console.error((error as Error).message)
    return 2
  }
  const [folder] = args.positionals
  if (args.values.help || !folder) {
    console.log(usage)
    return args.values.help ? 0 : 2
  }
  for (const file of await bundleService(resolve(folder))) console.log(file)
  return 0
}

function readArguments() {
  return parseArgs({ allowPositionals: true, options: { help: { type: 'boolean', short: 'h' } } })
}

if (import.meta.main) process.exitCode = await main()
