#!/bin/bash
# Runs unit and integration tests with coverage, and fails below the floor in vitest.config.ts.
# usage: scripts/ci/coverage.sh
# The report is coverage/index.html.
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
npm run coverage
floor=$(git diff --stat -- vitest.config.ts)
if [ -n "$floor" ]; then echo "The coverage has risen: commit the new floor in vitest.config.ts."; fi
