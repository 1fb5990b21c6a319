#!/bin/bash
# Starts a small system from its images, releases its services while people use it through the gateway, and removes the
# system with its data. Fails when a request failed, a message was lost or stored twice, or streams reconnected all at once.
# usage: scripts/ci/release-under-load.sh [SERVICE...]     default: every service, web, worker and web-client
# Environment: BIGTECH_REGISTRY and BIGTECH_VERSION name the images; missing images are pulled, never built.
# The container names are those of a normal system, which must not run at the same time.
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
# A project of its own has volumes of its own: those of a normal system are never removed.
export COMPOSE_PROJECT_NAME=bigtech-release COMPOSE_PROFILES=
export COMPOSE_FILE=docker-compose.msa.yml:infrastructure/docker/compose/small.yml:infrastructure/docker/compose/scale.yml
services=(user-service friend-service chat-service notification-service analytics-service web worker web-client)

finish() {
  local code=$?
  if [ "$code" -ne 0 ]; then docker compose logs --no-color --tail 100; fi
  docker compose down --volumes
}
trap finish EXIT

docker compose up --detach --no-build --wait --wait-timeout 600 kong "${services[@]}"
if [ "$#" -eq 0 ]; then set -- "${services[@]}"; fi
export BIGTECH_GATEWAY_URL=http://127.0.0.1:${GATEWAY_PORT:-80}
node tests/release/run.ts infrastructure/docker/release.sh "$@"
