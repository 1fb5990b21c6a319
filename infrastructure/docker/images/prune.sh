#!/bin/sh
# Removes files from an installed node_modules that no running service reads: TypeScript,
# source maps, documents, the Node binaries of the repository's root, and Prisma's query compilers other than the small one for MySQL.
# usage: prune.sh [FOLDER]
set -eu
case "${1:-}" in
  -h | --help)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  -*)
    echo "$(basename "$0"): unknown option $1 (see --help)" >&2
    exit 2
    ;;
esac
cd "${1:-.}"

find node_modules -type f \
  \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.md' \) -delete
rm -rf node_modules/node-* node_modules/.pnpm/node-linux-* node_modules/.pnpm/node-darwin-* \
  node_modules/.pnpm/node-bin-* node_modules/.pnpm/node_modules/node-*linux* node_modules/.bin/node
find node_modules/.pnpm -type f -name 'query_compiler_*' -path '*/@prisma/client/runtime/*' \
  \( ! -name '*.mysql.*' -o -name 'query_compiler_fast_*' -o -name '*.wasm-base64.js' \) -delete
