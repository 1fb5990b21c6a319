#!/bin/bash
# Builds the documentation site with the SDK's reference: a page that does not build or a dead link fails.
# usage: scripts/ci/docs.sh
# Environment: REPOSITORY_URL, the address of the repository on the web, for links to code.
set -euo pipefail
cd "$(dirname "$0")/../.."
case "${1:-}" in
  -h | --help)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  '') ;;
  *)
    echo "$(basename "$0"): unknown argument $1 (see --help)" >&2
    exit 2
    ;;
esac
# Keeps an existing installation of the checkout.
if [ ! -e docs/node_modules/vitepress ]; then
  npx -y pnpm@12.21.0 install --frozen-lockfile --filter '@bigtech/docs...'
fi
npm --prefix docs run build
echo "The site is in docs/.vitepress/dist."
