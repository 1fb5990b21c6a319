#!/usr/bin/env bash
# Applies kong.yml to a running Kong (DB-less). Idempotent: an unchanged file changes nothing, and a
# changed file is applied completely or not at all. Without KONG_ADMIN_URL it uses the container of docker-compose.msa.yml, whose
# Admin API is not reachable from outside, to validate and reload the file; open streams continue.
#
#   kong-config.sh [--wait SECONDS] [FILE]
#
#   KONG_ADMIN_URL   Admin API of another Kong, for example http://localhost:8001
#   FILE             default: kong.yml next to this script (another file requires KONG_ADMIN_URL)
#
# Exit status: 0 in effect (changed or not), 1 Kong rejected the file or is unreachable, 2 invalid usage.
set -euo pipefail

admin_url=${KONG_ADMIN_URL:-}
admin_url=${admin_url%/}
own_file="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/kong.yml"
file=$own_file
readonly container=bigtech-kong
wait_seconds=0

fail() {
  printf 'kong-config: %s\n' "$1" >&2
  exit "${2:-1}"
}

usage() {
  sed -n '2,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
}

while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage && exit 0 ;;
    --wait)
      [[ ${2:-} =~ ^[0-9]+$ ]] || fail '--wait needs a number of seconds' 2
      wait_seconds=$2
      shift
      ;;
    -*) fail "unknown option $1 (see --help)" 2 ;;
    *) file=$1 ;;
  esac
  shift
done

[ -r "$file" ] || fail "cannot read $file" 2

# apply_in_container: the folder of kong.yml is mounted there.
apply_in_container() {
  local deadline=$((SECONDS + wait_seconds)) result
  [ "$file" = "$own_file" ] || fail 'another file than the one beside this script needs KONG_ADMIN_URL' 2
  command -v docker >/dev/null || fail 'docker is not installed; set KONG_ADMIN_URL to reach a Kong elsewhere'
  until result=$(docker exec "$container" kong health 2>&1); do
    [ "$SECONDS" -lt "$deadline" ] || fail "the container $container has no healthy Kong ($result). Is it running? (--wait SECONDS, KONG_ADMIN_URL)"
    sleep 1
  done
  result=$(docker exec "$container" kong config parse /etc/bigtech/kong.yml 2>&1) ||
    fail "Kong refused $file, the old configuration stays in effect: $result"
  result=$(docker exec "$container" kong reload 2>&1) || fail "Kong did not reload: $result"
  echo "kong-config: $file is in effect in $container"
}

if [ -z "$admin_url" ]; then
  apply_in_container
  exit
fi
command -v curl >/dev/null || fail 'curl is needed and not installed'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# call NAME METHOD PATH [curl options]: the body goes to $work/NAME, the status to stdout (000: no connection).
call() {
  local name=$1 method=$2 path=$3
  shift 3
  curl --silent --show-error --max-time 30 --connect-timeout 3 --request "$method" \
    --output "$work/$name" --write-out '%{http_code}' "$@" "$admin_url$path" 2>"$work/$name.error" || true
}

reach_kong() {
  local deadline=$((SECONDS + wait_seconds)) status
  while true; do
    status=$(call root GET /)
    [ "$status" = 200 ] && return
    if [ "$SECONDS" -ge "$deadline" ]; then
      [ "$status" = 000 ] || fail "$admin_url answers $status: is this Kong's Admin API? (KONG_ADMIN_URL)"
      fail "Kong's Admin API at $admin_url cannot be reached ($(<"$work/root.error")). Is Kong running, is its port published? (KONG_ADMIN_URL, --wait SECONDS)"
    fi
    sleep 1
  done
}

# Prints Kong's current configuration, one line per value: `plugin cors on service users .config.max_age 600`.
# shellcheck disable=SC2016 # The variables in it are jq's.
readonly flatten='
  def scope($names): [to_entries[] | select(.key | IN("service", "route", "consumer")) | select(.value.id?)
    | " on \(.key) \($names[.value.id] // "?")"] | join("");
  ([$services[0].data[], $routes[0].data[] | {(.id): .name}] | add // {}) as $names
  | [ ($services[0].data[] | {key: "service \(.name)", value: .}),
      ($routes[0].data[] | {key: "route \(.name)\(scope($names))", value: .}),
      ($plugins[0].data[] | {key: "plugin \(.name)\(scope($names))", value: .}) ][]
  | .key as $key
  | .value | del(.id, .created_at, .updated_at, .service, .route, .consumer)
  | paths(scalars) as $path
  | "\($key) .\($path | map(tostring) | join(".")) \(getpath($path) | tojson)"'

# snapshot NAME: an empty one when jq is missing or Kong does not list its entities.
snapshot() {
  local kind
  : >"$work/$1"
  command -v jq >/dev/null || return 0
  for kind in services routes plugins; do
    [ "$(call "$kind" GET "/$kind?size=1000")" = 200 ] || return 0
  done
  jq --null-input --raw-output --slurpfile services "$work/services" --slurpfile routes "$work/routes" \
    --slurpfile plugins "$work/plugins" "$flatten" 2>/dev/null | LC_ALL=C sort >"$work/$1" || : >"$work/$1"
}

tell_changes() {
  if ! command -v jq >/dev/null; then
    echo '(install jq to see what changed)'
    return
  fi
  local changes
  changes=$(diff --unchanged-line-format= --old-line-format='- %L' --new-line-format='+ %L' \
    "$work/before" "$work/after" || true)
  echo "${changes:-(the file changed, what it says did not)}"
}

reach_kong
grep -q '"database"[[:space:]]*:[[:space:]]*"off"' "$work/root" ||
  fail "the Kong at $admin_url has a database: kong.yml is for DB-less mode (KONG_DATABASE=off)"

snapshot before
status=$(call config POST '/config?check_hash=1&flatten_errors=1' --form "config=@$file")
case $status in
  304)
    echo "kong-config: unchanged, $admin_url already has $file"
    ;;
  200 | 201)
    snapshot after
    echo "kong-config: applied $file to $admin_url"
    tell_changes
    ;;
  400) fail "Kong refused $file, the old configuration stays in effect: $(<"$work/config")" ;;
  413) fail "$file is larger than Kong takes: $(<"$work/config")" ;;
  429) fail 'Kong is still loading another configuration: run this again' ;;
  000) fail "Kong stopped answering: $(<"$work/config.error")" ;;
  *) fail "Kong responded with $status: $(<"$work/config")" ;;
esac
