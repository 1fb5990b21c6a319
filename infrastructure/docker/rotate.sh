#!/bin/bash
# Replaces every secret of .env in a running Compose system, or the development secrets of a system without .env. Data and
# sessions stay. Every server and service restarts: an outage of a minute or two.
# An interrupted run continues when started again: .env.next contains the new secrets until .env does.
# usage: infrastructure/docker/rotate.sh
# Environment: COMPOSE_FILE when the system runs with other files besides (colon separated)
set -euo pipefail
cd "$(dirname "$0")/../.."
case "${1:-}" in
  -h | --help)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  ?*)
    echo "$(basename "$0"): unknown argument $1 (see --help)" >&2
    exit 2
    ;;
esac
export COMPOSE_FILE=${COMPOSE_FILE:-docker-compose.msa.yml}
readonly next=.env.next

# secret_of SERVICE NAME: the value with which the container runs.
secret_of() {
  local id
  id=$(docker compose ps --quiet "$1" | head -n 1)
  [ -n "$id" ] || { echo "$1 does not run; start the system first" >&2; return 1; }
  docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$id" | sed -n "s/^$2=//p"
}

# Called in an assignment, whose failure ends the script.
MYSQL_PREVIOUS_ROOT_PASSWORD=$(secret_of mysql MYSQL_ROOT_PASSWORD)
MONGO_PREVIOUS_ROOT_PASSWORD=$(secret_of mongodb MONGO_INITDB_ROOT_PASSWORD)
totp_keys=$(secret_of user-service TOTP_KEYS)
export MYSQL_PREVIOUS_ROOT_PASSWORD MONGO_PREVIOUS_ROOT_PASSWORD

if [ ! -e "$next" ]; then
  umask 077
  secrets=$(sed -n 's/^\([A-Z_]*\)=generate$/\1/p' .env.example | paste -sd '|')
  # Settings are kept; make-env.sh adds a random value for each secret that is missing.
  if [ -e .env ]; then grep -Ev "^($secrets)=" .env >"$next.new" || true; fi
  infrastructure/docker/make-env.sh "$next.new" >/dev/null
  # The new key encrypts; the old ones are still needed to decrypt what they encrypted.
  new_key=$(sed -n 's/^TOTP_KEYS=//p' "$next.new")
  { grep -v '^TOTP_KEYS=' "$next.new"; echo "TOTP_KEYS=$new_key,$totp_keys"; } >"$next.whole"
  rm "$next.new"
  mv "$next.whole" "$next"
fi

# MySQL and MongoDB store their passwords; all other servers read them when they start.
docker compose --env-file "$next" run --rm --no-deps --env MYSQL_PREVIOUS_ROOT_PASSWORD mysql-accounts
docker compose --env-file "$next" run --rm --no-deps --env MONGO_PREVIOUS_ROOT_PASSWORD mongodb-accounts
mv "$next" .env
docker compose up --detach --no-build
echo 'Every secret is replaced.'
