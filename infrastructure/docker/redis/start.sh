#!/bin/sh
# Starts Redis with an account for each service, restricted to its own keys and channels, and `default` for
# operators and the probe. Needs REDIS_PASSWORD, REDIS_USER_PASSWORD and REDIS_CHAT_PASSWORD.
# usage: start.sh [redis-server's options]
set -eu
case "${1:-}" in
  -h | --help)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac
: "${REDIS_PASSWORD:?}" "${REDIS_USER_PASSWORD:?}" "${REDIS_CHAT_PASSWORD:?}"

# Uses a file, because the process list shows arguments.
accounts=${TMPDIR:-/tmp}/accounts.acl
rights='+@all -@admin -@dangerous +info'
(
  umask 077
  {
    echo "user default on >$REDIS_PASSWORD ~* &* +@all"
    echo "user user_service on >$REDIS_USER_PASSWORD ~user:* ~cache:* ~rate_limit:* &user:* $rights"
    echo "user chat_service on >$REDIS_CHAT_PASSWORD ~chat:* &chat:* $rights"
  } >"$accounts"
)
if [ "$(id -u)" = 0 ]; then chown redis "$accounts"; fi
# The entrypoint switches from root to the user `redis`.
exec docker-entrypoint.sh redis-server --aclfile "$accounts" "$@"
