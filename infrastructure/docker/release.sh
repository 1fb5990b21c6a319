#!/bin/bash
# Replaces services of a running Compose system without downtime: tables first, then one copy after the other: the new one
# starts beside the old ones, and an old one drains when it is ready. The system must run with compose/scale.yml: a fixed name or host port can exist once.
# usage: infrastructure/docker/release.sh SERVICE...      for example: BIGTECH_VERSION=1.2.0 ... chat-service
# Environment: BIGTECH_VERSION, BIGTECH_REGISTRY; COMPOSE_FILE when it runs with other files besides (colon separated),
#   READY_WITHIN_SECONDS (default 120)
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
readonly settle_seconds=${SETTLE_SECONDS:-3}
readonly ready_within_seconds=${READY_WITHIN_SECONDS:-120}

copies() { docker compose ps --quiet "$1"; }

# replace SERVICE COPY: starts a copy next to the running ones, and stops COPY when the new one is ready.
replace() {
  local before new deadline
  before=$(copies "$1")
  docker compose up --detach --no-build --no-deps --no-recreate --scale "$1=$(($(wc -w <<<"$before") + 1))" "$1"
  new=$(comm -13 <(sort <<<"$before") <(copies "$1" | sort))
  deadline=$((SECONDS + ready_within_seconds))
  # The health check of the image requests /ready.
  until [ "$(docker inspect --format '{{.State.Health.Status}}' "$new")" = healthy ]; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      docker logs --tail 20 "$new" >&2
      docker rm --force "$new" >/dev/null
      echo "$1: the new copy was not ready after $ready_within_seconds s and has been removed; the old ones keep running" >&2
      exit 1
    fi
    sleep 1
  done
  sleep "$settle_seconds"
  docker stop "$2" >/dev/null
  docker rm "$2" >/dev/null
}

for service in "$@"; do
  # The web process of media-service runs the migrations.
  if [ "$service" = web ]; then migrate=media-migrate; else migrate=${service%-service}-migrate; fi
  # Not `grep -q`, which stops reading: with pipefail, Docker's failing write would skip the migrations.
  if docker compose config --services | grep -x "$migrate" >/dev/null; then docker compose run --rm --no-deps "$migrate"; fi
  old=$(copies "$service")
  [ -n "$old" ] || { echo "$service does not run" >&2; exit 1; }
  # One at a time: starting copies would take the CPU from running ones, and all streams would reconnect at once.
  for id in $old; do replace "$service" "$id"; done
  echo "$service: $(wc -w <<<"$old") copies replaced"
done
