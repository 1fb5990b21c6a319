#!/bin/bash
# Runs the route table against a real Kong with the real kong.yml, in front of echo servers.
# usage: scripts/ci/gateway.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
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
compose=(docker compose --file tests/gateway/compose.yml)

finish() {
  local code=$?
  if [ "$code" -ne 0 ]; then "${compose[@]}" logs --no-color --tail 100; fi
  "${compose[@]}" down
}
trap finish EXIT

"${compose[@]}" up --detach --wait --wait-timeout 120
export BIGTECH_GATEWAY_URL=http://127.0.0.1:28910 BIGTECH_ECHO_URL=http://127.0.0.1:28919
npx vitest run --config tests/gateway/vitest.config.ts
