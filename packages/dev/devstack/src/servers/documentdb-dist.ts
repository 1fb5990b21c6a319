import { chmodSync, existsSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureArtefact } from '../fetch/artefact.ts'
import { loaderName, NEWER_SUITE, triplet, unpackDebian } from '../fetch/debian.ts'
import { buildGo } from '../fetch/go.ts'
import { UserError } from '../problems.ts'
import type { Say } from '../progress.ts'
import { run } from '../run.ts'

const POSTGRES = '18'
const ferretVersion = '2.7.0'

const ferretProgram = {
  title: 'FerretDB',
  module: 'github.com/FerretDB/FerretDB/v2/cmd/ferretdb',
  version: `v${ferretVersion}`,
  modules: 75,
  packages: 500,
}

const help =
  'The MongoDB-compatible server needs a machine with apt and dpkg (Debian, Ubuntu) or Docker: install Docker and try again.'

/**
 * Libraries used only by PostGIS' raster and 3D parts, image codecs, Perl tooling or package maintenance,
 * none of which we load;\n`verify` checks that every loaded library is present.
 */
const unused =
  `gdal perl sfcgal systemd-shared hdf5 poppler spatialite svtav1enc aom rav1e dav1d gav1 heif jxl nss3 nspr
 lapack blas gfortran quadmath xerces netcdf cfitsio kml minizip freexl gpgme ksba assuan npth gcrypt gpg-error db5 gdbm
 armadillo arpack superlu mysqlclient mariadb odbc absl archive freetype fontconfig openjp2 png lcms hwy yuv sz aec ogdi
 qhull muparser geotiff imath openexr deflate- rtt gif proc2 pam- cbor fido de265 x265 apparmor seccomp cryptsetup fdisk
 mount smartcols kmod devmapper c-bin c-l10n c-gconv llvm tirpc nsl debconf ltdl boost mpfr semanage sepol subid`
    .split(/\s+/)
    .map((name) => `lib${name}`)

/** Selects PostgreSQL, its extensions and their libraries from the dependency closure. */
function isDocumentDbPart(name: string): boolean {
  if (!/^(postgresql-18|lib|zlib1g$)/.test(name)) return false
  return !unused.some((prefix) => name.startsWith(prefix))
}

export interface DocumentDbDist {
  /** Directory of postgres and initdb. */
  bin: string
  ferretdb: string
}

/** Fetches PostgreSQL with the DocumentDB extension, and FerretDB, which provides the MongoDB protocol. */
export async function fetchDocumentDb(cacheFolder: string): Promise<DocumentDbDist> {
  if (process.platform !== 'linux') throw new UserError(help)
  const postgres = await ensureArtefact(cacheFolder, {
    name: `documentdb-pg${POSTGRES}-${triplet()}`,
    title: `PostgreSQL ${POSTGRES} with DocumentDB: packages, about 60 MB`,
    fill: fillPostgres,
    verify: verifyPostgres,
  })
  const ferret = await ensureArtefact(cacheFolder, {
    name: `ferretdb-${ferretVersion}-${process.arch}`,
    title: `FerretDB ${ferretVersion}: Go build, about a minute the first time`,
    fill: (part, say) => buildGo(part, ferretProgram, say),
  })
  return { bin: join(postgres, binFolder), ferretdb: join(ferret, 'ferretdb') }
}

const binFolder = `usr/lib/postgresql/${POSTGRES}/bin`
const libFolder = `usr/lib/postgresql/${POSTGRES}/lib`

async function fillPostgres(folder: string, say: Say): Promise<void> {
  const packages = [`postgresql-${POSTGRES}`, `postgresql-${POSTGRES}-documentdb`]
  await unpackDebian(
    folder,
    { packages, suite: NEWER_SUITE, isWanted: isDocumentDbPart, otherwise: help },
    say,
  )
  for (const program of ['postgres', 'initdb']) wrap(folder, program)
  dropUnused(folder)
}

/**
 * Wraps a program built for a newer C library, so that it runs through its own loader. The wrapper finds
 * everything relative to itself, because the directory is moved later.
 */
function wrap(folder: string, program: string): void {
  const file = join(folder, binFolder, program)
  if (!existsSync(`${file}.bin`)) renameSync(file, `${file}.bin`)
  const script = `#!/bin/sh
bin=\${0%/*}
usr=\${bin%/lib/postgresql/${POSTGRES}/bin}
libs=$usr/lib/${triplet()}
exec "$libs/${loaderName()}" --inhibit-cache --library-path "$libs:$usr/lib/postgresql/${POSTGRES}/lib" "$bin/${program}.bin" "$@"
`
  writeFileSync(file, script)
  chmodSync(file, 0o755)
}

function dropUnused(folder: string): void {
  const share = join(folder, 'usr/share')
  for (const name of ['doc', 'man', 'locale', 'lintian', 'perl5', 'postgis']) {
    rmSync(join(share, name), { recursive: true, force: true })
  }
  rmSync(join(folder, libFolder, 'bitcode'), { recursive: true, force: true })
  const extensions = join(share, `postgresql/${POSTGRES}/extension`)
  for (const name of readdirSync(extensions)) {
    if (/^(postgis_t|postgis_r|postgis_s|address_|documentdb_distributed)/.test(name))
      rmSync(join(extensions, name))
  }
  // Debian creates this link during installation.
  const control = join(extensions, 'postgis.control')
  if (!existsSync(control)) symlinkSync('postgis-3.control', control)
}

const loaded =
  `pg_documentdb pg_documentdb_core pg_documentdb_extended_rum pg_cron vector postgis-3 rum tsm_system_rows plpgsql`
    .split(' ')
    .map((name) => `${libFolder}/${name}.so`)

async function verifyPostgres(folder: string): Promise<void> {
  const libs = join(folder, 'usr/lib', triplet())
  const path = `${libs}:${join(folder, libFolder)}`
  for (const file of [`${binFolder}/postgres.bin`, `${binFolder}/initdb.bin`, ...loaded]) {
    const args = ['--inhibit-cache', '--library-path', path, '--list', join(folder, file)]
    const missing = (await run(join(libs, loaderName()), args))
      .split('\n')
      .find((line) => line.includes('not found'))
    if (missing) throw new Error(`The Debian packages have changed: ${file} lacks ${missing.trim()}`)
  }
}
