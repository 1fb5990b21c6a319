#!/bin/bash
# Replaces services of a running Compose system without downtime: tables first, then new copies next to the old ones, then
# the old copies drain. The system must run with compose/scale.yml: a fixed name or host port can exist once.
# usage: infrastructure/docker/release.sh SERVICE...      for example: BIGTECH_VERSION=1.2.0 ... chat-service
# Environment: BIGTECH_VERSION, BIGTECH_REGISTRY; COMPOSE_FILE when it runs with other files besides (colon separated)
set -euo pipefail
cd "$(dirname "$0")/../.."
case "${1:-}" in
  -h | --help)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  '' | -*)
    echo "$(basename "$0"): ${1:+unknown option $1; }name a service (see --help)" >&2
    exit 2
    ;;
esac
export COMPOSE_FILE=${COMPOSE_FILE:-docker-compose.msa.yml:infrastructure/docker/compose/scale.yml}
# Longer than the gateway caches an address (KONG_DNS_VALID_TTL).
readonly settle_seconds=6
readonly ready_within_seconds=${READY_WITHIN_SECONDS:-120}

copies() { docker compose ps --quiet "$1"; }

# wait_until_ready SERVICE: requests /ready inside each copy.
wait_until_ready() {
  local deadline=$((SECONDS + ready_within_seconds)) id
  for id in $(copies "$1"); do
    until docker exec "$id" node -e "fetch('http://127.0.0.1:' + process.env.PORT + '/ready').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"; do
      if [ "$SECONDS" -ge "$deadline" ]; then
        echo "$1: the new copy is not ready after $ready_within_seconds s; the old one goes on. Remove the new one: docker rm -f $id" >&2
        exit 1
      fi
      sleep 1
    done
  done
}

for service in "$@"; do
  # The web process of media-service runs the migrations.
  if [ "$service" = web ]; then migrate=media-migrate; else migrate=${service%-service}-migrate; fi
  if docker compose config --services | grep -qx "$migrate"; then docker compose run --rm --no-deps "$migrate"; fi
  old=$(copies "$service")
  count=$(wc -w <<<"$old")
  [ "$count" -gt 0 ] || { echo "$service does not run" >&2; exit 1; }
  docker compose up --detach --no-build --no-deps --no-recreate --scale "$service=$((count * 2))" "$service"
  wait_until_ready "$service"
  sleep "$settle_seconds"
  for id in $old; do
    docker stop "$id" >/dev/null
    docker rm "$id" >/dev/null
  done
  echo "$service: $count copies replaced"
done
