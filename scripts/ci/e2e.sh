#!/bin/bash
# Starts the system from its images (docker-compose.test.yml), runs the end-to-end tests, and removes the system again.
# usage: scripts/ci/e2e.sh [vitest's filters]     default: tests/e2e tests/gateway
# Environment: BIGTECH_REGISTRY and BIGTECH_VERSION name the images; missing images are pulled, never built.
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
compose=(docker compose --file docker-compose.test.yml)

finish() {
  local code=$?
  if [ "$code" -ne 0 ]; then "${compose[@]}" logs --no-color --tail 300; fi
  "${compose[@]}" down --volumes
}
trap finish EXIT

"${compose[@]}" up --detach --no-build --wait --wait-timeout 600 kong worker notification-service analytics-service chat-service-2
export BIGTECH_GATEWAY_URL=http://127.0.0.1:13000
export BIGTECH_USER_URL=http://127.0.0.1:13005
export BIGTECH_FRIEND_URL=http://127.0.0.1:13003
export BIGTECH_CHAT_URL=http://127.0.0.1:13002
export BIGTECH_SECOND_CHAT_URL=http://127.0.0.1:13012
export BIGTECH_NOTIFICATION_URL=http://127.0.0.1:13006
export BIGTECH_ANALYTICS_URL=http://127.0.0.1:13007
export BIGTECH_MAILBOX_URL=http://127.0.0.1:16080
export BIGTECH_OPERATOR_TOKEN=throw-away-throw-away
if [ "$#" -eq 0 ]; then set -- tests/e2e tests/gateway; fi
npx vitest run --project=e2e --project=e2e-alone "$@"
