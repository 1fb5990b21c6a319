#!/bin/bash
# Initiates the replica set with this server and creates the accounts. Can be run any number of
# times. Needs MONGO_HOST (host:port as the services will call it), MONGO_MEMBERS (default: that host alone),
# and MONGO_PREVIOUS_ROOT_PASSWORD to change the one of root.
set -euo pipefail
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
: "${MONGO_HOST:?}" "${MONGO_ROOT_PASSWORD:?}" "${MONGO_CHAT_PASSWORD:?}" "${MONGO_EXPORTER_PASSWORD:?}"
export MONGO_MEMBERS=${MONGO_MEMBERS:-$MONGO_HOST}

for ((attempt = 1; ; attempt++)); do
  if mongosh --quiet --norc "mongodb://$MONGO_HOST/admin?directConnection=true" "$(dirname "$0")/accounts.js"; then
    exit 0
  fi
  [ "$attempt" -lt 30 ] || { echo "MongoDB at $MONGO_HOST could not be prepared" >&2; exit 1; }
  sleep 2
done
